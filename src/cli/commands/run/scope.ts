import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { projectIdFor } from '../../../config/ids.ts'
import type { StatusAnswer } from '../../../daemon/control-protocol.ts'
import { connectDaemon, type ControlClient } from '../../control-client.ts'
import { findProject } from '../../find-project.ts'
import { declareFlags, refusedWideFlags } from './flag-table.ts'
import { usage } from './flag-values.ts'
import { openRunApi, type RunApi } from './run-api.ts'

/** The options of every command of this group. */
export interface WideOptions {
  readonly project?: string
  readonly region?: string
  readonly format?: string
  readonly flatten?: string
  readonly json?: true
  readonly quiet?: true
}

/** The place that a command is about. */
export interface Scope {
  readonly client: ControlClient
  readonly api: RunApi
  readonly project: string
  readonly region: string
  /** Whether the command line names the region: lists are of all regions else. */
  readonly isRegional: boolean
  /** `projects/P/locations/R` */
  readonly parent: string
  /** `PROJECT:REGION:INSTANCE` of a Cloud SQL instance's id. */
  connectionName(instance: string): string
  /** What `status` tells of the project; undefined for one that is new. */
  readonly known: StatusAnswer['projects'][number] | undefined
}

export function addWideOptions(command: Command): Command {
  command
    .option('-p, --project <id>', 'instead of the project of this folder')
    .option('--region <region>', "instead of the project's region")
    .option('--format <format>', 'json, yaml, value(KEY,...), table(KEY,...), csv(KEY,...), text or none: gcloud topic formats')
    .option('--flatten <keys>', 'one record for each item of these lists')
    .option('--json', 'the same as --format=json')
    .option('-q, --quiet', 'do not ask')
    .addOption(new Option('--platform <platform>').argParser(readPlatform).hideHelp())
    .addOption(new Option('--verbosity <level>').hideHelp())
  declareFlags(command, [], refusedWideFlags)
  return command
}

/** @param isNewAllowed a project that nobody has seen yet is taken as well, if need be the one that this folder's name makes */
export async function openScope(options: WideOptions, isNewAllowed = false): Promise<Scope> {
  const client = await connectDaemon()
  const known = await findKnown(client, options.project ?? process.env['CLOUDSDK_CORE_PROJECT'], options.project, isNewAllowed)
  const project =
    known?.id ?? options.project ?? process.env['CLOUDSDK_CORE_PROJECT'] ?? projectIdFor(basename(realpathSync(process.cwd())))
  const region = options.region ?? process.env['CLOUDSDK_RUN_REGION'] ?? known?.region ?? 'us-central1'
  return {
    client,
    api: openRunApi(client),
    project,
    region,
    isRegional: options.region !== undefined,
    parent: `projects/${project}/locations/${region}`,
    connectionName: (instance) => `${project}:${region}:${instance}`,
    known,
  }
}

async function findKnown(client: ControlClient, named: string | undefined, told: string | undefined, isNewAllowed: boolean) {
  if (!isNewAllowed)
    return told === undefined ? await findProject(client, undefined).catch(() => findProject(client, named)) : findProject(client, told)
  const { projects } = await client.get<StatusAnswer>('/status')
  if (named !== undefined) return projects.find(({ id }) => id === named)
  return projects.length === 0 ? undefined : await findProject(client, undefined)
}

function readPlatform(text: string): string {
  if (text === 'managed') return text
  throw new InvalidArgumentError('Only managed is emulated.')
}

/** @throws CloudError USAGE */
export function checkName(kind: string, name: string): string {
  if (/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name
  throw usage(`"${name}" is not a ${kind}'s name.`, 'Write small letters, digits and hyphens, with a letter first.')
}
