import { realpathSync } from 'node:fs'
import type { BuiltEvent, OpenRequest, UpEvent } from '../../../daemon/control-protocol.ts'
import { usage, type Given } from './flag-values.ts'
import type { Progress } from './progress.ts'
import type { Scope } from './scope.ts'

/** Opens the project for what is deployed into it, then builds what `--source` names. @returns the flags with the image in place of the source */
export async function prepare(
  scope: Scope,
  id: string,
  given: readonly Given[],
  engine: OpenRequest['engine'],
  progress: Progress,
): Promise<readonly Given[]> {
  const request: OpenRequest = { project: scope.project, region: scope.region, engine }
  await scope.client.stream<UpEvent>('/open', request, (event) => {
    if (event.kind === 'step') progress.note(`  ${event.name}: ${event.detail ?? ''}`)
  })
  const sources = given.filter(({ flag }) => flag === 'source')
  if (sources.length > 1) throw usage('Only one container can be built from source.', 'Name images for the others.')
  const [source] = sources
  if (source === undefined) return given
  if (source.value.startsWith('gs://')) throw usage('argument --source: archives in Cloud Storage are not emulated.', 'Name a folder.')
  const image = await build(scope, id, source.value, progress)
  const sameContainer = (one: Given) => containerOf(given, one) === containerOf(given, source)
  return given
    .filter((one) => one.flag !== 'image' || !sameContainer(one)) // with --source it names a repository, which nothing is pushed to here
    .map((one) => (one === source ? { flag: 'image', value: image } : one))
}

/** The `--container` that stands before `one`. */
function containerOf(given: readonly Given[], one: Given): Given | undefined {
  return given.slice(0, given.indexOf(one)).findLast(({ flag }) => flag === 'container')
}

async function build(scope: Scope, id: string, folder: string, progress: Progress): Promise<string> {
  let directory: string
  try {
    directory = realpathSync(folder)
  } catch {
    throw usage(`argument --source: there is no folder ${folder}.`, 'Name the folder to build.')
  }
  return progress.step(`build ${id}`, async (detail) => {
    let image = ''
    await scope.client.stream<UpEvent | BuiltEvent>('/build', { project: scope.project, name: id, directory }, (event) => {
      if (event.kind === 'line') progress.line(event.text)
      if (event.kind !== 'built') return
      image = event.image
      detail(event.detail)
    })
    return image
  })
}
