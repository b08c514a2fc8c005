import { createHash } from 'node:crypto'
import type { Container as RunContainer } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import type { Container, ContainerSpec, Engine } from '../../../engine/engine.ts'
import type { RunNeeds } from '../needs.ts'
import { limitsOf } from './amounts.ts'
import { writeLabels } from './container-labels.ts'
import { ingressOf, serviceAccountOf, type InstanceSpec, type InstanceTemplate } from './instance-spec.ts'
import { probedPorts } from './probes.ts'
import { boostedCpus } from './resource-limits.ts'
import { readEnvironment } from './secret-env.ts'
import { toMounts } from './volume-mounts.ts'

/**
 * What to start for `container` of an instance. Secrets in variables are read here, once, for the instance's life (run trap 38).
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
    readEnvironment(needs, container, project, serviceAccount),
    Promise.all(container.volumeMounts.map((mount) => toMounts(needs, instance, mount))),
  ])
  const limits = limitsOf(container)
  const boosts = container.resources?.startupCpuBoost === true
  const hasPort = isIngress && port !== undefined
  return {
    name: isIngress ? name : sidecarName(name, container.name),
    project: project.id,
    image: container.image,
    ...(container.command.length > 0 && { command: container.command }),
    ...(container.args.length > 0 && { args: container.args }),
    ...(container.workingDir !== '' && { workingDirectory: container.workingDir }),
    env: { ...around.env, ...own, ...instance.env, ...(hasPort && { PORT: String(port) }) },
    ...(around.options !== undefined && { options: around.options }),
    cpus: boosts ? boostedCpus(limits.cpus) : limits.cpus,
    memoryBytes: limits.memoryBytes,
    mounts: [...around.mounts, ...mounts.flat()],
    labels: writeLabels({
      owner: instance.owner,
      instance: name,
      container: container.name,
      isSidecar: !isIngress,
      ...(boosts && { cpusAfterBoost: limits.cpus }),
    }),
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

/** /etc/hosts of each container has the names of all (run trap 43). */
function namesOf(template: InstanceTemplate): readonly string[] {
  return template.containers.map((container) => container.name).filter((name) => name !== '')
}

/** All that this host asks: an engine that publishes ports can do so only for the first container. */
function portsOf({ template, port }: InstanceSpec): readonly number[] {
  return [...new Set([...(port === undefined ? [] : [port]), ...probedPorts(template.containers)])]
}
