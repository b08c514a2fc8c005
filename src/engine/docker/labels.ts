import type { ContainerSpec } from '../engine.ts'

const prefix = 'dev.devcloud.'
const ownPrefix = `${prefix}label.`

/** What the engine writes on all that it makes. */
export interface EngineLabels {
  readonly state: string
  readonly project: string
  readonly role: 'instance' | 'database' | 'forwarder' | 'network' | 'volume' | 'memory'
}

export function toLabels(labels: EngineLabels): Record<string, string> {
  return { [`${prefix}state`]: labels.state, [`${prefix}project`]: labels.project, [`${prefix}role`]: labels.role }
}

/** Those of an instance or database; `files` is the folder that holds its files in memory. */
export function toContainerLabels(
  spec: ContainerSpec,
  at: { readonly state: string; readonly files: string | undefined; readonly memoryVolumes: readonly string[] },
): Record<string, string> {
  const { name, project, role = 'instance', port, serviceAccount } = spec
  const { state, files, memoryVolumes } = at
  return {
    ...toLabels({ state, project, role }),
    [`${prefix}name`]: name,
    [`${prefix}service-account`]: serviceAccount,
    ...(port !== undefined && { [`${prefix}port`]: String(port) }),
    ...(files !== undefined && { [`${prefix}files`]: files }),
    ...(memoryVolumes.length > 0 && { [`${prefix}memory`]: memoryVolumes.join(' ') }),
    ...Object.fromEntries(Object.entries(spec.labels).map(([key, value]) => [`${ownPrefix}${key}`, value])),
  }
}

export interface ContainerLabels {
  readonly state: string
  readonly name: string
  readonly project: string
  readonly role: string
  readonly serviceAccount: string
  readonly port: number | undefined
  readonly files: string | undefined
  /** Docker's names of its folders in memory. */
  readonly memoryVolumes: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export function readLabels(labels: Readonly<Record<string, string>>): ContainerLabels {
  const of = (name: string) => labels[`${prefix}${name}`]
  const port = of('port')
  return {
    state: of('state') ?? '',
    name: of('name') ?? '',
    project: of('project') ?? '',
    role: of('role') ?? '',
    serviceAccount: of('service-account') ?? '',
    port: port === undefined ? undefined : Number(port),
    files: of('files'),
    memoryVolumes: of('memory')?.split(' ') ?? [],
    labels: Object.fromEntries(
      Object.entries(labels).flatMap(([key, value]) => (key.startsWith(ownPrefix) ? [[key.slice(ownPrefix.length), value]] : [])),
    ),
  }
}

/** Docker's filter for what is ours: `label=dev.devcloud.state=...`, and of one project. */
export function ours(state: string, project?: string): { label: string[] } {
  return { label: [`${prefix}state=${state}`, ...(project === undefined ? [] : [`${prefix}project=${project}`])] }
}
