import { readFilter } from '../../api/filter.ts'
import type { FilterValue } from '../../api/filter-field.ts'
import { isRecord } from '../../base/is-record.ts'
import { isInstanceField } from './instance-resource.ts'
import type { Json } from './json.ts'

/**
 * Reads the filter of instances.list, `state:RUNNABLE settings.userLabels.env=dev`, over instances as they are answered. Source: sqladmin,
 * SqlInstancesListRequest.filter.
 * @throws CloudError INVALID_ARGUMENT for a field that instances do not have
 */
export function readInstanceFilter(text: string): (instance: Json) => boolean {
  return readFilter(text, (path) =>
    isInstanceField(path[0] ?? '')
      ? { kind: path[0] === 'createTime' ? 'time' : 'text', values: (instance) => valuesAt(instance, path) }
      : undefined,
  )
}

function valuesAt(value: unknown, path: readonly string[]): readonly FilterValue[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => valuesAt(item, path))
  const [word, ...rest] = path
  if (word !== undefined) return isRecord(value) && Object.hasOwn(value, word) ? valuesAt(value[word], rest) : []
  if (value === undefined || value === null) return []
  if (isRecord(value)) return Object.keys(value)
  return [typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? Date.parse(value) : String(value)]
}
