import type { Command } from 'commander'
import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import { printList } from './print-resources.ts'
import { addList } from './resource-commands.ts'

export function addRegions(run: Command): void {
  addList(run.command('regions').description('look at regions'), 'list regions', async ({ api, project }, options) => {
    const { locations = [] } = await api.call('GET', `https://run.googleapis.com/v1/projects/${project}/locations`)
    printList(options, (locations as readonly ApiAnswer[]).map((resource) => ({ resource, derived: {} })), 'table(locationId:label=NAME:sort=1)') // prettier-ignore
  })
}
