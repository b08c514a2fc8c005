/** Prints a value as gcloud does, which is Python's form. */

/** `True`, `3`, `text`; empty for null; lists and records in the form of `repr`. */
export function pythonText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : pythonRepr(value)
}

/** `{'rev': 'a-1', 'latest': True}` */
function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replaceAll("'", "\\'")}'`
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  if (typeof value !== 'object') return String(value)
  return `{${Object.entries(value)
    .map(([key, part]) => `${pythonRepr(key)}: ${pythonRepr(part)}`)
    .join(', ')}}`
}
