/** A place in a project's files. `file` is relative to the project's folder; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}
