import { ask, orAbsent, statusOf } from './ask.ts'
import type { DockerHost } from './docker-host.ts'
import { ours, readLabels, toLabels } from './labels.ts'

/** Makes a tmpfs volume. Docker mounts it for the first container, and shares the mount with the others. */
export async function makeMemoryVolume(
  host: DockerHost,
  project: string,
  Name: string,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const Labels = toLabels({ state: host.state, project, role: 'memory' })
  // Podman takes a size for a quota of the disk; the kernel takes pages as well: kernel.org/doc/html/latest/filesystems/tmpfs.html
  const bound = host.product.startsWith('Podman') ? `nr_blocks=${Math.ceil(sizeBytes / 4096)}` : `size=${sizeBytes}`
  const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: `${bound},mode=1777` }
  await ask(host.docker.createVolume({ Name, Driver: 'local', DriverOpts, Labels }), signal) // one that is there stays as it is
}

/** Removes the volumes of `names` that no container uses. */
export async function removeUnused(host: DockerHost, names: readonly string[], signal: AbortSignal): Promise<void> {
  for (const name of names) {
    await orAbsent(ask(host.docker.getVolume(name).remove(), signal)).catch((error: unknown) => {
      if (statusOf(error) !== 409) throw error // another container of the instance still uses the volume
    })
  }
}

/** Removes the volumes that a dead daemon left. */
export async function sweepMemoryVolumes(host: DockerHost, signal: AbortSignal): Promise<void> {
  const { Volumes } = await ask(host.docker.listVolumes({ filters: ours(host.state) }), signal)
  const names = (Volumes ?? []).filter((volume) => readLabels(volume.Labels).role === 'memory').map((volume) => volume.Name)
  await removeUnused(host, names, signal)
}
