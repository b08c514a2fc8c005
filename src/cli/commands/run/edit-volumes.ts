import { lastPart } from '../../../base/last-part.ts'
import { unmount } from './edit-secrets.ts'
import { editNames, readList, readPairs, usage, type Given } from './flag-values.ts'
import type { ContainerJson, TemplateJson, VolumeJson } from './run-json.ts'

/** Flags of the whole template. */
export const volumeFlags: readonly string[] = ['add-volume', 'remove-volume', 'clear-volumes']
export const sqlFlags: readonly string[] = ['set', 'add', 'remove', 'clear'].map((verb) => `${verb}-cloudsql-instances`)
/** Flags of one container. */
export const mountFlags: readonly string[] = ['add-volume-mount', 'remove-volume-mount', 'clear-volume-mounts']

/** Removing goes before adding. @throws CloudError USAGE */
export function editVolumes(template: TemplateJson, given: readonly Given[]): void {
  if (given.length === 0) return
  const gone = given.some(({ flag }) => flag === 'clear-volumes')
    ? (template.volumes ?? []).map(({ name }) => name)
    : given.filter(({ flag }) => flag === 'remove-volume').flatMap(({ value }) => readList(value))
  template.volumes = (template.volumes ?? []).filter(({ name }) => !gone.includes(name))
  if (gone.length > 0) {
    for (const container of template.containers) {
      container.volumeMounts = (container.volumeMounts ?? []).filter(({ name }) => !gone.includes(name))
    }
  }
  for (const one of given.filter(({ flag }) => flag === 'add-volume')) {
    const volume = readVolume(one)
    template.volumes = [...template.volumes.filter(({ name }) => name !== volume.name), volume]
  }
}

/** @throws CloudError USAGE */
export function editMounts(container: ContainerJson, given: readonly Given[]): void {
  if (given.some(({ flag }) => flag === 'clear-volume-mounts')) container.volumeMounts = []
  const gone = given.filter(({ flag }) => flag === 'remove-volume-mount').flatMap(({ value }) => readList(value))
  container.volumeMounts = (container.volumeMounts ?? []).filter(({ mountPath }) => !gone.includes(mountPath))
  for (const one of given.filter(({ flag }) => flag === 'add-volume-mount')) {
    const { volume, 'mount-path': mountPath } = fields(one, ['volume', 'mount-path'])
    if (volume === undefined || mountPath === undefined) {
      throw usage('argument --add-volume-mount: volume and mount-path must be specified.', 'Write volume=NAME,mount-path=/PATH.')
    }
    container.volumeMounts = [...container.volumeMounts.filter((mount) => mount.mountPath !== mountPath), { name: volume, mountPath }]
  }
}

/**
 * The Cloud SQL instances whose sockets are under /cloudsql in every container: one volume of the name `cloudsql`.
 * @param connectionName makes PROJECT:REGION:INSTANCE of an instance's id alone
 */
export function editCloudSql(template: TemplateJson, given: readonly Given[], connectionName: (id: string) => string): void {
  if (given.length === 0) return
  const volume = template.volumes?.find(({ cloudSqlInstance }) => cloudSqlInstance !== undefined)
  const read = (name: string) => (name.includes(':') ? name : connectionName(name))
  const wanted = [...editNames(volume?.cloudSqlInstance?.instances ?? [], given, read)]
  if (volume !== undefined) for (const container of template.containers) unmount(template, container, volume.name)
  if (wanted.length === 0) return
  template.volumes = [...(template.volumes ?? []), { name: 'cloudsql', cloudSqlInstance: { instances: wanted } }]
  for (const container of template.containers) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name: 'cloudsql', mountPath: '/cloudsql' }]
  }
}

const volumeTypes = ['cloud-storage', 'in-memory', 'nfs', 'cloud-sql', 'secret'] as const

/** `name=data,type=cloud-storage,bucket=media,readonly=true` */
function readVolume(one: Given): VolumeJson {
  const known = ['name', 'type', 'bucket', 'readonly', 'mount-options', 'size-limit', 'location', 'instances', 'secret', 'version', 'path']
  const read = fields(one, known)
  const { name, type } = read
  const required = (key: string): string => {
    const value = read[key]
    if (value !== undefined && value !== '') return value
    throw usage(`argument --add-volume: Volume of type [${type}] must have the key ${key}.`, `Add ${key}=... to it.`)
  }
  const readOnly = read['readonly'] === undefined ? {} : { readOnly: /^(true|yes|1)$/i.test(read['readonly']) }
  if (name === undefined || name === '') throw usage('argument --add-volume: All new volumes must have a name.', 'Add name=NAME to it.')
  if (type === 'cloud-storage') {
    const options = read['mount-options']
    return { name, gcs: { bucket: required('bucket'), ...readOnly, ...(options !== undefined && { mountOptions: options.split(';') }) } }
  }
  if (type === 'in-memory') {
    const sizeLimit = read['size-limit']
    return { name, emptyDir: { medium: 'MEMORY', ...(sizeLimit !== undefined && { sizeLimit }) } }
  }
  if (type === 'nfs') {
    const [server = '', path = ''] = required('location').split(/:(?=\/)/)
    return { name, nfs: { server, path, ...readOnly } }
  }
  if (type === 'cloud-sql') return { name, cloudSqlInstance: { instances: required('instances').split(';') } }
  if (type === 'secret') {
    const [secret, version = 'latest', path] = [required('secret'), read['version'], read['path']]
    return { name, secret: { secret, items: [{ path: path ?? lastPart(secret), version }] } }
  }
  throw usage(`argument --add-volume: Volume type [${type ?? ''}] not supported.`, `Write one of: ${volumeTypes.join(', ')}.`)
}

function fields(one: Given, known: readonly string[]): Readonly<Record<string, string | undefined>> {
  const pairs = readPairs(one)
  const foreign = pairs.find(([key]) => !known.includes(key))
  if (foreign !== undefined)
    throw usage(`argument --${one.flag}: valid keys are [${known.join(', ')}]; received: ${foreign[0]}.`, 'Correct the key.')
  return Object.fromEntries(pairs)
}
