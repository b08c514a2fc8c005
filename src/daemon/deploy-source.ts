import { realpath } from 'node:fs/promises'
import { CloudError } from '../base/cloud-error.ts'
import { Problems } from '../config/problems.ts'
import { ProjectFiles } from '../config/project-files.ts'
import { readSources } from '../products/run/index.ts'
import { rules } from '../config/ids.ts'
import { openProject } from './adopt.ts'
import type { BuildRequest, BuiltEvent, OpenRequest, UpEvent } from './control-protocol.ts'
import type { House } from './house.ts'

/**
 * What must be there before something is deployed into a project that `devcloud up` may never have seen: its row, its engine, its network.
 * A project that was taken down is up again afterwards. @throws CloudError USAGE, ENGINE_CHANGED, DOCKER_UNREACHABLE
 */
export async function openForDeploy(
  house: House,
  { project: id, region, engine: wanted }: OpenRequest,
  tell: (event: UpEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { projects, engines } = house.foundation
  if (!rules.project.pattern.test(id)) {
    throw new CloudError('INVALID_ARGUMENT', `"${id}" is not a project's id.`, `Write ${rules.project.words}.`, { fault: 'USAGE' })
  }
  const known = projects.get(id)
  const isNew = !projects.list().some((project) => project.id === id)
  if (wanted !== 'auto' && known.engine !== 'auto' && known.engine !== wanted) {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `Project "${id}" runs on the ${known.engine} engine.`,
      `Leave --engine out, or devcloud clean --project ${id} first`,
      { fault: 'ENGINE_CHANGED' },
    )
  }
  const engine = await engines.choose(known.engine === 'auto' ? wanted : known.engine)
  const { isUp, directory } = known
  await projects.put({ id, region: isNew ? region : known.region, directory, engine: engine.kind, isUp: true })
  await openProject(house, engine, id, signal)
  if (isNew) tell({ kind: 'step', id: 'project', name: `project ${id}`, state: 'done', detail: `${engine.kind} engine` })
  if (isUp) return
  for (const product of house.catalog.all)
    await product.startProject?.(id, signal).catch((err: unknown) => house.foundation.log.warn({ err, id }, 'start failed'))
}

/** Builds a folder as `up` does: its Dockerfile, or with the process engine its start command. @throws CloudError BUILD_FAILED, NO_SOURCE */
export async function buildSource(
  house: House,
  { project, name, directory }: BuildRequest,
  tell: (event: UpEvent | BuiltEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const engine = await house.foundation.engines.forProject(project)
  const problems = new Problems()
  const folder = await realpath(directory)
  const { dockerfile, command } = await readSources(new ProjectFiles(folder, problems), '.', problems)
  problems.throwIfAny()
  if (dockerfile === undefined && (engine.kind === 'docker' || command === undefined)) {
    throw new CloudError(
      'FAILED_PRECONDITION',
      `${folder} has no Dockerfile${engine.kind === 'docker' ? '' : ', no Procfile and no "start" script in package.json'}.`,
      'Add a Dockerfile: building with buildpacks is not emulated.',
      { fault: 'NO_SOURCE' },
    )
  }
  const built = await engine.build(
    {
      project,
      name,
      directory: folder,
      ...(dockerfile !== undefined && { dockerfile: 'Dockerfile' }),
      ...(command !== undefined && { command: command.words }),
    },
    (text) => tell({ kind: 'line', source: `build ${name}`, text }),
    signal,
  )
  tell({ kind: 'built', image: built.image, detail: `${built.steps} steps, ${built.cachedSteps} cached` })
}
