import type { ApiAnswer } from '../../../daemon/control-protocol.ts'
import { lastPart } from '../../../base/last-part.ts'
import { partsOf } from './names.ts'
import { toRevisionType, type ContainerJson, type EnvJson, type ServerFields, type ServiceJson, type TemplateJson } from './run-json.ts'

/** A service for people: what it is, where its traffic goes, what runs. @param urls the one for this machine's browser first */
export function serviceText(answer: ApiAnswer, urls: readonly string[]): string {
  const service = answer as unknown as ServiceJson & ServerFields
  const { region, id } = partsOf(service.name ?? '')
  const latest = lastPart(service.latestReadyRevision ?? '')
  const { terminalCondition: ready, trafficStatuses = [] } = service
  const targets = Map.groupBy(trafficStatuses, ({ type, revision = '' }) =>
    type === toRevisionType ? revision : `LATEST (currently ${latest})`,
  )
  const traffic = [...targets].flatMap(([target, all]) => [
    `  ${`${all.reduce((sum, { percent = 0 }) => sum + percent, 0)}%`.padEnd(4)} ${target}`,
    ...all.flatMap(({ tag, uri }) => (tag ? [`         ${tag}: ${uri ?? ''}`] : [])),
  ])
  return [
    `${symbolOf(service)} Service ${id} in region ${region}`,
    ...(ready?.state === 'CONDITION_FAILED' && ready.message ? [ready.message] : []),
    '',
    ...urls.map((url, index) => `${index === 0 ? 'URL:' : ''}`.padEnd(9) + url),
    `Ingress: ${(service.ingress ?? 'INGRESS_TRAFFIC_ALL').replace('INGRESS_TRAFFIC_', '').toLowerCase()}`,
    'Traffic:',
    ...traffic,
    '',
    `Last updated on ${service.updateTime ?? ''}${service.lastModifier ? ` by ${service.lastModifier}` : ''}:`,
    `  Revision ${lastPart(service.latestCreatedRevision ?? '')}`,
    ...templateLines(service.template),
  ].join('\n')
}

export function revisionText(answer: ApiAnswer): string {
  const revision = answer as unknown as TemplateJson & ServerFields & { readonly name: string; readonly service: string }
  const { region, id } = partsOf(revision.name)
  const failed = revision.conditions?.find(({ type, state }) => type === 'Ready' && state === 'CONDITION_FAILED')
  return [
    `${symbolOf(revision)} Revision ${id} of service ${lastPart(revision.service)} in region ${region}`,
    ...(failed?.message ? [failed.message] : []),
    '',
    `Created on ${revision.createTime ?? ''}`,
    ...templateLines(revision),
  ].join('\n')
}

/** Containers and what holds for all of them, two spaces in. */
export function templateLines(template: TemplateJson): readonly string[] {
  const { containers, serviceAccount, maxInstanceRequestConcurrency: concurrency, scaling, timeout, volumes = [] } = template
  const lines = [
    ...containers.flatMap((container) => [
      `  Container ${container.name || ''}`.trimEnd(),
      ...containerLines(container).map((line) => `    ${line}`),
    ]),
    ...field('Service account', serviceAccount),
    ...field('Concurrency', concurrency),
    ...field('Min instances', scaling?.minInstanceCount),
    ...field('Max instances', scaling?.maxInstanceCount),
    ...field('Timeout', timeout),
    ...field('SQL connections', volumes.flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []).join(', ')), // prettier-ignore
    ...field('Volumes', volumes.filter(({ cloudSqlInstance }) => cloudSqlInstance === undefined).map(({ name }) => name).join(', ')), // prettier-ignore
  ]
  return lines.map((line) => (line.startsWith('  ') ? line : `  ${line}`))
}

function containerLines(container: ContainerJson): readonly string[] {
  const {
    image,
    command = [],
    args = [],
    ports,
    resources,
    env = [],
    volumeMounts = [],
    startupProbe,
    livenessProbe,
    dependsOn = [],
  } = container
  return [
    ...field('Image', image),
    ...field('Command', command.join(' ')),
    ...field('Args', args.join(' ')),
    ...field('Port', ports?.[0]?.containerPort),
    ...field('Memory', resources?.limits?.['memory']),
    ...field('CPU', resources?.limits?.['cpu']),
    ...field('Depends on', dependsOn.join(', ')),
    ...field('Startup probe', startupProbe && JSON.stringify(startupProbe)),
    ...field('Liveness probe', livenessProbe && JSON.stringify(livenessProbe)),
    ...(env.length > 0 ? ['Env vars:', ...env.map((one) => `  ${one.name.padEnd(20)} ${valueText(one)}`)] : []),
    ...(volumeMounts.length > 0 ? ['Mounts:', ...volumeMounts.map(({ name, mountPath }) => `  ${mountPath.padEnd(20)} ${name}`)] : []),
  ]
}

function valueText({ value = '', valueSource }: EnvJson): string {
  return valueSource === undefined ? value : `${valueSource.secretKeyRef.secret}:${valueSource.secretKeyRef.version || 'latest'}`
}

function field(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined || value === '' || value === 0 ? [] : [`${`${name}:`.padEnd(16)} ${value}`]
}

/** gcloud's glyphs: ready, failed, in progress. */
export function symbolOf({ reconciling, terminalCondition, conditions = [] }: ServerFields): string {
  const ready = terminalCondition ?? conditions.find(({ type }) => type === 'Ready')
  if (reconciling === true) return '…'
  return ready?.state === 'CONDITION_SUCCEEDED' ? '✔' : ready?.state === 'CONDITION_FAILED' ? 'X' : '…'
}
