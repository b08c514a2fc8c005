/** What a filter may ask for by one path. */
export interface FilterField<T> {
  /** How values compare. `presence` is a message, or a map: it is there or not, and a map has keys. */
  readonly kind: 'text' | 'enum' | 'number' | 'boolean' | 'time' | 'presence'
  /** Those of a resource: none where it is absent, several of a list. Times are in milliseconds. */
  values(resource: T): readonly FilterValue[]
}

export type FilterValue = string | number | boolean
