/** What a filter may ask of one path. */
export interface FilterField<T> {
  /** How values compare. `presence` is for a message or a map: the field is present or not, and a map has keys. */
  readonly kind: 'text' | 'enum' | 'number' | 'boolean' | 'time' | 'presence'
  /** The values of a resource: none for an absent field, several for a list. Times are in ms. */
  values(resource: T): readonly FilterValue[]
}

export type FilterValue = string | number | boolean
