import { section } from '../../../config/section.ts'
import { describeRun } from './describe.ts'
import { initRun } from './init.ts'
import { readRun } from './read-run.ts'
import { keys } from './service-schema.ts'
import type { WantedRun } from './wanted-run.ts'

export const runSection = section<typeof keys, WantedRun>({
  product: 'run',
  keys,
  read: readRun,
  describe: describeRun,
  mentions: ({ services, jobs }) => ({
    secrets: [...services, ...jobs].flatMap(({ env, secretVolumes }) => [
      ...Object.values(env).flatMap((set) => ('secret' in set ? [set.secret] : [])),
      ...secretVolumes.map(({ secret }) => secret),
    ]),
  }),
  init: (wanted, project) => initRun(wanted ?? { services: [], jobs: [] }, project),
})
