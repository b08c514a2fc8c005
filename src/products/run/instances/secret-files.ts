import type { Container as RunContainer, SecretVolumeSource } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { messageOf } from '../../../base/cloud-error.ts'
import { lastPart } from '../../../base/last-part.ts'
import type { MountedFile } from '../../../engine/engine.ts'
import type { Project, RunNeeds } from '../needs.ts'
import { readLabels } from './container-labels.ts'
import { serviceAccountOf, type InstanceTemplate } from './instance-spec.ts'
import type { Instance } from './instance.ts'
import { readSecret } from './secret-env.ts'

/**
 * The files of a secret volume as they read now. A version that cannot be read has no file: the container starts, and its read fails (run trap 38).
 * @param subPath the folder of the volume that is mounted; empty for all of it
 */
export async function secretFiles(
  needs: RunNeeds,
  source: SecretVolumeSource,
  subPath: string,
  project: Project,
  account: string,
): Promise<readonly MountedFile[]> {
  const { secret, items, defaultMode } = source
  const wanted = items.length > 0 ? items : [{ path: lastPart(secret), version: 'latest', mode: 0 }]
  const folder = subPath === '' ? '' : `${subPath.replace(/\/+$/, '')}/`
  const files = wanted
    .filter(({ path }) => path.startsWith(folder))
    .map(async ({ path, version, mode }): Promise<MountedFile | undefined> => {
      try {
        const data = await readSecret(needs, project, secret, version, account)
        return { path: path.slice(folder.length), data, mode: (mode || defaultMode || 0o444) & ~0o222 }
      } catch (error) {
        needs.log.warn({ secret, version, error: messageOf(error) }, 'a secret of a volume cannot be read')
        return undefined
      }
    })
  return (await Promise.all(files)).filter((file) => file !== undefined)
}

/**
 * Keeps the secret volumes of a running instance as Cloud Run has them, which reads a secret whenever its file is read: a version that is added,
 * disabled or destroyed shows in the files at once. Pinned versions keep their bytes (reliability F59). Ends with the instance.
 */
export function followSecrets(needs: RunNeeds, template: InstanceTemplate, project: Project, instance: Instance): Disposable {
  const mounts = template.containers.flatMap((container) => secretMounts(template, container))
  if (mounts.length === 0) return { [Symbol.dispose]: () => {} }
  const ids = new Set(mounts.map(({ source }) => lastPart(source.secret)))
  const account = serviceAccountOf(template, project)
  let isWriting = false
  let isStale = false
  const write = async () => {
    isStale = true
    if (isWriting) return
    isWriting = true
    while (isStale) {
      isStale = false
      for (const { container: name, source, target, subPath } of mounts) {
        const container = instance.containers.find((found) => readLabels(found)?.container === name)
        if (container === undefined || container.state === 'exited') continue
        await container.replaceFiles(target, await secretFiles(needs, source, subPath, project, account))
      }
    }
    isWriting = false
  }
  const tell = () => void write().catch((error: unknown) => needs.log.warn({ err: error, instance: instance.name }, 'secret files are old'))
  const subscription = needs.onSecretChange((secret) => {
    if (instance.containers.every((container) => container.state === 'exited')) subscription[Symbol.dispose]()
    else if (ids.has(lastPart(secret))) tell()
  })
  tell() // what changed while it started
  return subscription
}

function secretMounts({ volumes }: InstanceTemplate, container: RunContainer) {
  return container.volumeMounts.flatMap(({ name, mountPath: target, subPath }) => {
    const type = volumes.find((volume) => volume.name === name)?.volumeType
    return type?.case === 'secret' ? [{ container: container.name, source: type.value, target, subPath }] : []
  })
}
