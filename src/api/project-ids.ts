/** A project by its two names. Every id that a client speaks of is a project: nobody has to make one first. */
export interface ProjectIds {
  readonly id: string
  /** Twelve digits, the same for an id on every machine. */
  readonly number: string
}
