import { createHash } from 'node:crypto'
import { CloudError } from '../../base/cloud-error.ts'
import type { Container as RunContainer, Volume } from '../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import type { Container, ContainerSpec, Engine, Mount } from '../../engine/engine.ts'
import { ingressOf, serviceAccountOf, type InstanceSpec, type InstanceTemplate } from './instance-spec.ts'
import type { Project, RunNeeds } from './needs.ts'
import { probedPorts } from './probes.ts'
import { limitsOf } from './resources.ts'

/**
 * What to start for `container` of an instance. Secrets in variables are read here, once, for the instance's life (trap 38).
 * @param joins the container of the instance that was started first, whose network is the instance's
 * @throws CloudError SECRET_UNREADABLE, or UNIMPLEMENTED for a volume that is not emulated
 */
export async function containerSpec(
  needs: RunNeeds,
  engine: Engine['kind'],
  instance: InstanceSpec,
  container: RunContainer,
  joins?: Container,
): Promise<ContainerSpec> {
  const { template, project, port, name } = instance
  const serviceAccount = serviceAccountOf(template, project)
  const isIngress = container === ingressOf(template)
  const around = await needs.surroundings(project, serviceAccount, engine)
  const [own, mounts] = await Promise.all([
    environment(needs, container, project, serviceAccount),
    Promise.all(container.volumeMounts.map((mount) => volumeMounts(needs, template.volumes, mount, project, serviceAccount))),
  ])
  const hasPort = isIngress && port !== undefined
  return {
    name: isIngress ? name : sidecarName(name, container.name),
    project: project.id,
    image: container.image,
    ...(container.command.length > 0 && { command: container.command }),
    ...(container.args.length > 0 && { args: container.args }),
    ...(container.workingDir !== '' && { workingDirectory: container.workingDir }),
    env: { ...around.env, ...own, ...instance.env, ...(hasPort && { PORT: String(port) }) },
    ...limitsOf(container),
    mounts: [...around.mounts, ...mounts.flat()],
    labels: {
      ...instance.labels,
      serviceAccount,
      instance: name,
      ...(container.name !== '' && { container: container.name }),
      ...(!isIngress && { sidecar: 'yes' }),
    },
    ...(hasPort && { port }),
    ...(joins === undefined ? { localNames: namesOf(template), ports: portsOf(instance) } : { joins }),
    serviceAccount,
  }
}

/** At most 63 characters, as the engines allow; what is cut away is told apart by a hash. */
function sidecarName(instance: string, container: string): string {
  const whole = `${instance}-${container}`
  if (whole.length <= 63) return whole
  return `${whole.slice(0, 54)}-${createHash('sha256').update(whole).digest('hex').slice(0, 8)}`
}

/** /etc/hosts of each container has the names of all (trap 43). */
function namesOf(template: InstanceTemplate): readonly string[] {
  return template.containers.map((container) => container.name).filter((name) => name !== '')
}

/** All that this host asks: an engine that publishes ports can do so only for the first container. */
function portsOf({ template, port }: InstanceSpec): readonly number[] {
  return [...new Set([...(port === undefined ? [] : [port]), ...probedPorts(template.containers)])]
}

async function environment(needs: RunNeeds, container: RunContainer, project: Project, account: string): Promise<Record<string, string>> {
  const pairs = container.env.map(async ({ name, values }): Promise<readonly [string, string]> => {
    if (values.case !== 'valueSource') return [name, values.value ?? '']
    const selector = values.value.secretKeyRef
    const payload = await readSecret(needs, project, selector?.secret ?? '', selector?.version || 'latest', account)
    return [name, Buffer.from(payload).toString('utf8')]
  })
  return Object.fromEntries(await Promise.all(pairs))
}

async function volumeMounts(
  needs: RunNeeds,
  volumes: readonly Volume[],
  mount: { readonly name: string; readonly mountPath: string },
  project: Project,
  account: string,
): Promise<readonly Mount[]> {
  const source = volumes.find((volume) => volume.name === mount.name)?.volumeType
  if (source?.case === 'cloudSqlInstance') {
    return Promise.all(
      source.value.instances.map(async (connection) => ({
        kind: 'bind' as const,
        source: await needs.socketDirectory(connection),
        target: `/cloudsql/${connection}`,
      })),
    )
  }
  if (source?.case === 'secret') {
    const { secret, items, defaultMode } = source.value
    const wanted = items.length > 0 ? items : [{ path: secret.split('/').at(-1) ?? secret, version: 'latest', mode: 0 }]
    const files = wanted.map(async ({ path, version, mode }) => ({
      path,
      data: await readSecret(needs, project, secret, version || 'latest', account),
      mode: mode || defaultMode || 0o444,
    }))
    return [{ kind: 'files', target: mount.mountPath, files: await Promise.all(files) }]
  }
  throw new CloudError(
    source === undefined ? 'INVALID_ARGUMENT' : 'UNIMPLEMENTED',
    source === undefined ? `No volume is named "${mount.name}".` : `Volumes of the kind ${source.case ?? 'none'} are not emulated yet.`,
    'Use a secret or a Cloud SQL volume.',
  )
}

async function readSecret(needs: RunNeeds, project: Project, secret: string, version: string, account: string): Promise<Uint8Array> {
  const name = `${secret.startsWith('projects/') ? secret : `projects/${project.id}/secrets/${secret}`}/versions/${version}`
  try {
    return await needs.accessSecret(name, account)
  } catch (error) {
    const id = secret.split('/').at(-1) ?? secret
    throw new CloudError(
      'FAILED_PRECONDITION',
      `Secret ${name} cannot be read as ${account}.`,
      `Say it under "secrets:" in devcloud.yaml, or: gcloud secrets versions add ${id} --data-file=FILE`,
      {
        cause: error,
        fault: 'SECRET_UNREADABLE',
        evidence: [error instanceof Error ? error.message : String(error)],
      },
    )
  }
}
