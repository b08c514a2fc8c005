/** Custom verbs that free or end something, such as `:destroy` of Secret Manager. */
const freeing = /:(delete|destroy|cancel|disable|stop|purge)\b/i
const freeingRpc = /\/(Delete|Destroy|Cancel|Disable|Stop|Purge)\w*$/
/** The query of a delete of several objects over XML. */
const multiDelete = /\?(.*&)?delete(&|=|$)/

/** Whether a call may make the state larger: such calls are refused on a full disk, while reads and deletes go on. */
export function isAdding(method: string, target: string): boolean {
  if (!['POST', 'PUT', 'PATCH'].includes(method)) return false
  const [path = ''] = target.split('?', 1)
  return !freeing.test(path) && !freeingRpc.test(path) && !multiDelete.test(target)
}
