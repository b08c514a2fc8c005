import { ask, orAbsent, statusOf } from './ask.ts'
import { repositoryOf } from './build-image.ts'
import type { DockerHost } from './docker-host.ts'
import { ours } from './labels.ts'
import { removeContainer } from './remove-container.ts'

/** Removes what is left of a project in this state directory: its forwarder, volumes, networks and images. */
export async function removeProject(host: DockerHost, project: string, signal: AbortSignal): Promise<void> {
  const { docker } = host
  const filters = ours(host.state, project)
  for (const { Id } of await ask(docker.listContainers({ all: true, filters }), signal)) {
    await removeContainer(docker.getContainer(Id), signal)
  }
  const { Volumes } = await ask(docker.listVolumes({ filters }), signal)
  for (const { Name } of Volumes ?? []) await orAbsent(ask(docker.getVolume(Name).remove(), signal))
  for (const { Id } of await ask(docker.listNetworks({ filters }), signal)) await orAbsent(ask(docker.getNetwork(Id).remove(), signal))
  await removeImages(host, project, signal)
}

/** The tags of this state directory, and `latest` unless another state directory has built the same image. */
async function removeImages(host: DockerHost, project: string, signal: AbortSignal): Promise<void> {
  const own = `:${host.state}-`
  const images = await ask(host.docker.listImages({ filters: { reference: [repositoryOf(project, '*')] } }), signal)
  for (const { RepoTags } of images) {
    const tags = (RepoTags ?? []).filter((tag) => tag.startsWith('devcloud/'))
    const others = tags.filter((tag) => !tag.includes(own) && !tag.endsWith(':latest'))
    if (!tags.some((tag) => tag.includes(own))) continue
    for (const tag of tags) {
      if (others.includes(tag) || (tag.endsWith(':latest') && others.length > 0)) continue
      await orAbsent(ask(host.docker.getImage(tag).remove(), signal)).catch((error: unknown) => {
        if (statusOf(error) !== 409) throw error // a container of somebody else uses the image
      })
    }
  }
}
