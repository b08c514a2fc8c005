import { lastPart } from '../../../base/last-part.ts'
import { checkAlone } from './edit-env.ts'
import { readList, readPairs, usage, type Given } from './flag-values.ts'
import type { ContainerJson, TemplateJson } from './run-json.ts'

export const secretFlags: readonly string[] = ['set-secrets', 'update-secrets', 'remove-secrets', 'clear-secrets']

/**
 * `ENV=secret:1` is a variable, `/folder/file=secret:latest` a file: a volume at the folder with that one item.
 * Files of one folder come from one secret, since a volume is one secret. @throws CloudError USAGE
 */
export function editSecrets(template: TemplateJson, container: ContainerJson, given: readonly Given[]): void {
  const of = (flag: string) => given.filter((one) => one.flag === flag)
  const replacing = [...of('set-secrets'), ...of('clear-secrets')]
  checkAlone(replacing, [...of('update-secrets'), ...of('remove-secrets')])
  if (replacing.length > 0) clear(template, container)
  for (const key of of('remove-secrets').flatMap(({ value }) => readList(value))) remove(template, container, key)
  for (const one of [...of('set-secrets'), ...of('update-secrets')]) {
    for (const [key, value] of readPairs(one)) add(template, container, key, readSecret(one, key, value))
  }
}

interface SecretVersion {
  readonly secret: string
  readonly version: string
}

/** `name:version`, `projects/P/secrets/name:version`, or `projects/P/secrets/name/versions/version`. */
function readSecret({ flag }: Given, key: string, text: string): SecretVersion {
  const [, secret, version] = /^(?:(projects\/[^/]+\/secrets\/[^/:]+|[\w-]+)(?::|\/versions\/))([\w-]+)$/.exec(text) ?? []
  if (secret !== undefined && version !== undefined) return { secret, version }
  throw usage(`argument --${flag}: No secret version specified for ${key}.`, `Write ${key}=SECRET:latest, or a number in place of latest.`)
}

function add(template: TemplateJson, container: ContainerJson, key: string, { secret, version }: SecretVersion): void {
  if (!key.startsWith('/')) {
    const literal = container.env?.find(({ name, valueSource }) => name === key && valueSource === undefined)
    if (literal !== undefined) {
      throw usage(
        `Cannot update environment variable [${key}] to the given type because it has already been set with a different type.`,
        `--remove-env-vars=${key} takes the literal away first.`,
      )
    }
    container.env = [
      ...(container.env ?? []).filter(({ name }) => name !== key),
      { name: key, valueSource: { secretKeyRef: { secret, version } } },
    ]
    return
  }
  const at = key.lastIndexOf('/')
  const [folder, path] = [key.slice(0, at), key.slice(at + 1)]
  if (folder === '' || path === '') throw usage(`"${key}" is no path of a file in a folder.`, 'Write /folder/file=SECRET:latest.')
  const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === folder)
  const source = template.volumes?.find(({ name }) => name === mount?.name)?.secret
  if (mount !== undefined && source?.secret !== secret) {
    throw usage(
      `Cannot update secret at [${key}] because a different secret is already mounted on the same path.`,
      'Choose another folder.',
    )
  }
  if (source !== undefined) {
    source.items = [...(source.items ?? []).filter((item) => item.path !== path), { path, version }]
    return
  }
  const name = freeName(template, lastPart(secret))
  template.volumes = [...(template.volumes ?? []), { name, secret: { secret, items: [{ path, version }] } }]
  container.volumeMounts = [...(container.volumeMounts ?? []), { name, mountPath: folder }]
}

function remove(template: TemplateJson, container: ContainerJson, key: string): void {
  container.env = (container.env ?? []).filter(({ name, valueSource }) => name !== key || valueSource === undefined)
  const at = key.lastIndexOf('/')
  const mount = key.startsWith('/') ? container.volumeMounts?.find(({ mountPath }) => mountPath === key.slice(0, at)) : undefined
  const source = template.volumes?.find(({ name }) => name === mount?.name)?.secret
  if (mount === undefined || source === undefined) return
  source.items = (source.items ?? []).filter(({ path }) => path !== key.slice(at + 1))
  if (source.items.length === 0) unmount(template, container, mount.name)
}

function clear(template: TemplateJson, container: ContainerJson): void {
  container.env = (container.env ?? []).filter(({ valueSource }) => valueSource === undefined)
  for (const { name } of container.volumeMounts ?? []) {
    if (template.volumes?.find((volume) => volume.name === name)?.secret !== undefined) unmount(template, container, name)
  }
}

/** Takes the mounts of a volume from `container`, and the volume itself when no container has it any more. */
export function unmount(template: TemplateJson, container: ContainerJson, volume: string): void {
  container.volumeMounts = (container.volumeMounts ?? []).filter(({ name }) => name !== volume)
  const isUsed = template.containers.some(({ volumeMounts }) => volumeMounts?.some(({ name }) => name === volume))
  if (!isUsed) template.volumes = (template.volumes ?? []).filter(({ name }) => name !== volume)
}

/** `settings`, then `settings-2`: names of volumes are at most 63 of a-z, 0-9 and -. */
function freeName({ volumes = [] }: TemplateJson, wanted: string): string {
  const base = wanted.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-').replace(/^-+/, '').slice(0, 55) || 'secret' // prettier-ignore
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`
    if (!volumes.some((volume) => volume.name === name)) return name
  }
}
