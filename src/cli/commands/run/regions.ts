import type { Command } from 'commander'
import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import { addListOptions, printList, type ListOptions } from './print-resources.ts'
import { addWideOptions, openScope } from './scope.ts'

export function addRegions(run: Command): void {
  const regions = run.command('regions').description('look at regions')
  addListOptions(addWideOptions(regions.command('list').description('list regions'))).action(async (options: ListOptions) => {
    const { api, project } = await openScope(options)
    const { locations = [] } = await api.call('GET', `https://run.googleapis.com/v1/projects/${project}/locations`)
    printList(options, (locations as readonly ApiAnswer[]).map((resource) => ({ resource, derived: {} })), 'table(locationId:label=NAME:sort=1)') // prettier-ignore
  })
}
