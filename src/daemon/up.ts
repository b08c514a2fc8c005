import type { Product } from '../api/product.ts'
import type { ProductPlan, Site } from '../api/product-plan.ts'
import { checkRegion } from '../api/names.ts'
import { CloudError } from '../base/cloud-error.ts'
import { describeProject, planText } from '../config/plan-text.ts'
import { readProject } from '../config/read-project.ts'
import type { Wanted } from '../config/wanted.ts'
import type { Engine } from '../engine/engine.ts'
import { openProject } from './adopt.ts'
import type { UpEvent, UpRequest } from './control-protocol.ts'
import type { House } from './house.ts'
import type { Project } from './projects.ts'
import { networkId, runSteps, type RunnableStep } from './run-steps.ts'

type Tell = (event: UpEvent) => void

/**
 * Makes a project's resources: reads the files, observes what there is, plans the steps, and carries them out. With `request.plan` it stops
 * before the last. @throws CloudError, told as the last event by the caller
 */
export async function up(house: House, request: UpRequest, tell: Tell, signal: AbortSignal): Promise<void> {
  const began = performance.now()
  const { catalog, foundation } = house
  const sections = catalog.all.flatMap(({ section }) => section ?? [])
  const wanted = await readProject(request.directory, sections)
  checkRegion(wanted.region)
  const known = foundation.projects.get(wanted.project)
  const engine = request.plan ? undefined : await foundation.engines.choose(request.engine === 'auto' ? known.engine : request.engine)
  checkClaim(known, wanted, engine?.kind)
  const kind = engine?.kind ?? (known.engine === 'auto' ? undefined : known.engine)
  const { project, region, directory } = wanted
  const site: Site = { project, region, directory, engine: kind, isUp: known.isUp, api: house.api }
  const plans = await plansOf(catalog.all, wanted, site)
  const notes = plans.flatMap(({ plan }) => plan.notes ?? [])
  const steps = plans.flatMap(({ plan }) => plan.steps)
  if (engine === undefined) {
    const resources = describeProject(wanted, sections)
    return tell({ kind: 'plan', text: planText(wanted, resources, { steps, isUp: known.isUp, notes }) })
  }
  await claim(house, wanted, engine.kind, tell)
  for (const { resource, text } of notes) tell({ kind: 'step', id: resource, name: resource, state: 'note', detail: text })
  const done = await runSteps([networkStep(house, engine, wanted.project), ...plans.flatMap((one) => runnable(one, tell))], tell, signal)
  for (const product of catalog.all) await product.startProject?.(wanted.project, signal)
  const isKept = steps.map(({ id, stage, cause }) => (stage === 'workload' ? done.get(id)?.startsWith('unchanged') : cause === undefined))
  const reused = known.isUp && !isKept.includes(false)
  tell({
    kind: 'ready',
    ms: Math.round(performance.now() - began),
    urls: plans.flatMap(({ plan }) => plan.urls ?? []),
    reused,
    project: wanted.project,
  })
}

interface Planned {
  readonly product: Product
  readonly plan: ProductPlan
}

async function plansOf(products: readonly Product[], { parts }: Wanted, site: Site): Promise<readonly Planned[]> {
  const plans = products.map(async (product) => {
    const part = parts[product.name]
    return part === undefined || product.plan === undefined ? [] : [{ product, plan: await product.plan(part, site) }]
  })
  return (await Promise.all(plans)).flat()
}

function networkStep(house: House, engine: Engine, project: string): RunnableStep {
  return {
    id: networkId,
    name: 'network',
    stage: 'resource',
    after: [],
    run: (signal) => openProject(house, engine, project, signal).then(() => `${engine.kind} engine`),
  }
}

function runnable({ plan }: Planned, tell: Tell): readonly RunnableStep[] {
  const onLine = (source: string, text: string) => tell({ kind: 'line', source, text })
  return plan.steps.map((step) => ({ ...step, run: (signal) => plan.execute(step, { onLine, signal }) }))
}

/**
 * A folder owns its project's id: another folder that says the same id is told so, and nothing of the first is touched.
 * @throws CloudError PROJECT_TAKEN, ENGINE_CHANGED
 */
function checkClaim(known: Project, wanted: Wanted, engine: Engine['kind'] | undefined): void {
  if (known.directory !== '' && known.directory !== wanted.directory) {
    throw new CloudError(
      'ALREADY_EXISTS',
      `Project "${wanted.project}" is the one of ${known.directory}.`,
      `Set another "project:" in devcloud.yaml, or devcloud clean --project ${wanted.project}`,
      { fault: 'PROJECT_TAKEN' },
    )
  }
  if (engine !== undefined && known.engine !== 'auto' && known.engine !== engine) {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `Project "${wanted.project}" runs on the ${known.engine} engine.`,
      `devcloud up --engine ${known.engine}, or devcloud clean --project ${wanted.project} first`,
      { fault: 'ENGINE_CHANGED' },
    )
  }
}

/** From here on the folder speaks of this project, and of no other. */
async function claim({ foundation: { projects } }: House, wanted: Wanted, engine: Engine['kind'], tell: Tell): Promise<void> {
  for (const other of projects.list()) {
    if (other.directory !== wanted.directory || other.id === wanted.project) continue
    await projects.put({ ...other, directory: '' }) // commands in the folder mean the new one
    const detail = `${other.id} was this folder's before; it goes on until: devcloud clean --project ${other.id}`
    tell({ kind: 'step', id: 'project', name: 'project', state: 'note', detail })
  }
  await projects.put({ id: wanted.project, region: wanted.region, directory: wanted.directory, engine, isUp: true })
}
