import { CloudError } from '../../base/cloud-error.ts'

/** What a filter may ask about. */
export interface Filterable {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly state?: string
}

/**
 * `name:x`, `labels.k=v`, `state:ENABLED`, joined by AND or spaces, each with NOT or - in front. Source: Secret Manager, "Filtering".
 * @throws CloudError INVALID_ARGUMENT for anything else, rather than a list that ignores it
 */
export function matchesFilter(filter: string, resource: Filterable): boolean {
  const terms = filter.trim() === '' ? [] : filter.trim().split(/\s+(?:AND\s+)?(?!=)/)
  let negated = false
  for (const term of terms) {
    if (term === 'NOT') {
      negated = true
      continue
    }
    const [, minus, field = '', operator = '', value = ''] = /^(-?)([\w.-]+?)([:=])"?([^"]*)"?$/.exec(term) ?? []
    const actual = valueOf(resource, field)
    if (operator === '' || actual === null) {
      throw new CloudError(
        'INVALID_ARGUMENT',
        `Invalid filter: "${term}".`,
        'Write name:TEXT, labels.KEY=VALUE or state:ENABLED, joined by AND.',
      )
    }
    const holds = operator === ':' ? (actual ?? '').toLowerCase().includes(value.toLowerCase()) : actual === value
    if (holds === (negated || minus === '-')) return false
    negated = false
  }
  return true
}

/** Null for a field that filters do not know, undefined for a label that is not there. */
function valueOf(resource: Filterable, field: string): string | undefined | null {
  if (field === 'name') return resource.name
  if (field === 'state') return resource.state
  if (field.startsWith('labels.')) return resource.labels?.[field.slice('labels.'.length)]
  return null
}
