import type { Container as RunContainer } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { CloudError } from '../../../base/cloud-error.ts'
import type { Container, Engine } from '../../../engine/engine.ts'
import type { Address } from '../../../router/upstream.ts'
import type { Project, RunNeeds } from '../needs.ts'
import { waitUntilListening } from './await-listening.ts'
import { awaitFault, awaitStarted, crashOf } from './await-started.ts'
import { containerSpec } from './container-spec.ts'
import { ingressOf, serviceAccountOf, type InstanceSpec, type InstanceTemplate } from './instance-spec.ts'
import { toInstance, type Instance } from './instance.ts'
import { defaultStartupProbe, probeOf, type ProbePlan } from './probes.ts'
import { followSecrets } from './secret-files.ts'
import { startOrder } from './start-order.ts'
import { boostAfterStartMs, endBoost } from './startup-boost.ts'

export { toInstance, type Instance } from './instance.ts'

/**
 * Starts an instance and waits until it is ready, which is when the startup probes of its containers have succeeded; the ingress container
 * has one in any case when the spec has a port. What was started is taken away again when it does not come up.
 * @throws CloudError APP_CRASHED, NOT_LISTENING, SECRET_UNREADABLE, ...
 */
export async function startInstance(needs: RunNeeds, spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
  const engine = await needs.engineFor(spec.project.id, signal)
  const ingress = ingressOf(spec.template)
  if (ingress === undefined) throw new CloudError('INTERNAL', 'The template has no container.', 'Deploy again.')
  const started = new Map<RunContainer, Container>()
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const work = startAll(needs, engine, spec, started, either)
  try {
    const { port } = spec
    const fault = () => awaitFault(() => [...started.values()], { port, mayBeLoopback: engine.kind === 'process' }, either)
    await (port === undefined ? work.ready : Promise.race([work.ready, fault()]))
    over.abort()
    const instance = toInstance(ingressFirst(started, ingress))
    followInstance(needs, spec.template, spec.project, instance)
    return instance
  } catch (error) {
    over.abort(error)
    await work.settled
    if (started.size > 0) {
      const [first, ...rest] = [...started.values()]
      const halfway = first === undefined ? undefined : toInstance([first, ...rest])
      await halfway?.stop().catch((fault: unknown) => needs.log.warn({ err: fault, instance: spec.name }, 'stop failed'))
    }
    throw error
  }
}

/**
 * What goes on while an instance runs, one that was taken over from another daemon too, and ends with it: its secret files and
 * bucket folders are kept up to date, and its startup boost ends.
 */
export function followInstance(needs: RunNeeds, template: InstanceTemplate, project: Project, instance: Instance): void {
  followSecrets(needs, template, project, instance)
  for (const { volumeType } of template.volumes) {
    if (volumeType.case !== 'gcs') continue
    const { bucket, readOnly } = volumeType.value
    needs
      .bucketFolder(bucket, serviceAccountOf(template, project), readOnly)
      .catch((error: unknown) => needs.log.warn({ err: error, bucket }, 'the bucket folder is not in step'))
  }
  endBoost(needs, instance.containers, boostAfterStartMs)
}

/**
 * Starts each container once what it depends on is ready, all of them in the network of the first one.
 * @param started is filled as they start
 * @returns `ready` when all are; `settled` once nothing is under way any more, and never fails
 */
function startAll(
  needs: RunNeeds,
  engine: Engine,
  spec: InstanceSpec,
  started: Map<RunContainer, Container>,
  signal: AbortSignal,
): { readonly ready: Promise<unknown>; readonly settled: Promise<unknown> } {
  const ready = new Map<string, Promise<void>>()
  const all: Promise<void>[] = []
  let owner: Promise<Container> | undefined
  for (const container of startOrder(spec.template, spec.port === undefined ? 'last' : 'first')) {
    const first = owner
    const begun = (async () => {
      await Promise.all(container.dependsOn.map((name) => ready.get(name)))
      const joins = await first
      signal.throwIfAborted()
      const wanted = await containerSpec(needs, engine.kind, spec, container, joins)
      const running = await engine.start(wanted, signal).catch(async (error: unknown) => {
        // the network of a container that has just ended cannot be joined: its end is what is wrong
        throw (joins && (await crashOf(joins, spec.port, signal))) ?? error
      })
      started.set(container, running)
      return running
    })()
    owner ??= begun
    const isReady = begun.then((running) => awaitReady(running, container, spec, signal))
    ready.set(container.name, isReady)
    all.push(isReady)
  }
  return { ready: Promise.all(all), settled: Promise.allSettled(all) }
}

/** A container without a startup probe is ready once it runs (run trap 41). */
async function awaitReady(running: Container, container: RunContainer, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  const isIngress = container === ingressOf(spec.template)
  const own = isIngress ? spec.port : container.ports[0]?.containerPort
  const addressOf = (port: number) => (isIngress && port === own ? running.address : running.addressOf(port))
  const plan = probeOf('startup', container, own)
  if (plan !== undefined && spec.port === undefined) return awaitStartedOrEnd(running, plan, isIngress, addressOf, signal)
  if (plan !== undefined) await awaitStarted(running, plan, addressOf, signal)
  if (!isIngress || spec.port === undefined || (plan !== undefined && plan.how.port === spec.port)) return
  const { timeoutMs } = defaultStartupProbe(container.name, spec.port)
  await waitUntilListening(running, { port: spec.port, timeoutMs }, signal)
}

/**
 * What serves no requests may end while its startup probe is asked: the main container has done its work then, a sidecar is missing.
 * @throws CloudError APP_CRASHED for a sidecar, NOT_LISTENING
 */
async function awaitStartedOrEnd(
  running: Container,
  plan: ProbePlan,
  isMain: boolean,
  addressOf: (port: number) => Address | undefined,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  try {
    await Promise.race([
      awaitStarted(running, plan, addressOf, either),
      awaitFault(() => [running], { port: undefined, mayBeLoopback: true }, either),
    ])
  } catch (error) {
    if (!isMain || !(error instanceof CloudError && error.fault === 'APP_CRASHED')) throw error
  } finally {
    over.abort()
  }
}

function ingressFirst(started: ReadonlyMap<RunContainer, Container>, ingress: RunContainer): readonly [Container, ...Container[]] {
  const first = started.get(ingress)
  if (first === undefined) throw new CloudError('INTERNAL', 'The ingress container did not start.', 'Deploy again.')
  return [first, ...[...started.values()].filter((container) => container !== first)]
}
