/** What `devcloud explain` and docs/errors.md say of the code of an error: of a `fault`, or of one of Google's codes. */
export interface Fault {
  readonly means: string
  /** What to do about it. Commands stand between backticks. */
  readonly todo: string
  /** The exit code, by name, of a command of devcloud that fails with this fault. Default: application, 1. */
  readonly exit?: 'usage' | 'configuration' | 'engine' | 'notReady' | 'interrupted'
}
