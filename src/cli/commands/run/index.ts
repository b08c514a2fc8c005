import type { Command } from 'commander'
import { addOneOff } from '../exec.ts'
import { addDeploy } from './deploy.ts'
import { addJobs } from './jobs.ts'
import { addRegions } from './regions.ts'
import { addRevisions } from './revisions.ts'
import { addServices } from './services.ts'
import { addWorkerPools } from './worker-pools.ts'

/** `devcloud run`: gcloud's commands of Cloud Run, and `run SERVICE -- COMMAND` for what is none of them. */
export function addRun(program: Command): void {
  const run = addOneOff(program)
  addDeploy(run)
  addServices(run)
  addRevisions(run)
  addJobs(run)
  addWorkerPools(run)
  addRegions(run)
}
