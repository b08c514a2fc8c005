/** What a project's files want, as one frozen value. */
export interface Wanted {
  /** `[a-z][a-z0-9-]{4,28}[a-z0-9]`: from devcloud.yaml, another file, or the folder's name. */
  readonly project: string
  readonly region: string
  /** Absolute path of the project's folder. */
  readonly directory: string
  /** What the section of each product wants, by the product's name. Absent where the files want nothing of the product. */
  readonly parts: Readonly<Record<string, unknown>>
}
