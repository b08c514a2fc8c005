import { given } from '../../../config/given.ts'
import { posix } from 'node:path'
import type { JobPart } from './job-part.ts'
import { knativeJobSchema, type KnativeJob } from './knative-job-schema.ts'
import type { Problems } from '../../../config/problems.ts'
import type { ProjectFiles } from '../../../config/project-files.ts'
import { readAliases, readContainer } from './knative-values.ts'
import { projectOf, regionOf, toVolumes } from './read-knative.ts'
import { readYaml, type YamlDocument } from '../../../config/read-yaml.ts'
import { readBySchema } from '../../../config/schema-issues.ts'

/** A job of a job.yaml, with what the file says of the project. */
export interface KnativeJobPart {
  readonly part: JobPart
  readonly project?: string
  readonly region?: string
}

const sqlKey = 'run.googleapis.com/cloudsql-instances'
const taskPath = ['spec', 'template', 'spec', 'template', 'spec']

/** Reads the Jobs of `dir`/job.yaml and `dir`/service.yaml. Documents of other kinds, such as Kubernetes' own Job, are let be. */
export async function readKnativeJobs(files: ProjectFiles, dir: string, problems: Problems): Promise<readonly KnativeJobPart[]> {
  const found: KnativeJobPart[] = []
  for (const name of ['job.yaml', 'service.yaml']) {
    const file = posix.join(dir, name)
    const text = await files.text(file)
    if (text === undefined) continue
    for (const document of readYaml(text, file, problems)) {
      if (!isJob(document.value)) continue
      const job = readBySchema(knativeJobSchema, document, problems)
      if (job === undefined) continue
      const told = toPart(job, dir, document, problems)
      found.push({ ...told, part: { ...told.part, manifest: { value: document.value, file, text } } })
    }
  }
  return found
}

function isJob(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('apiVersion' in value) || !('kind' in value)) return false
  return value.apiVersion === 'run.googleapis.com/v1' && value.kind === 'Job'
}

function toPart(job: KnativeJob, dir: string, document: YamlDocument, problems: Problems): KnativeJobPart {
  const { template } = job.spec
  const task = template.spec.template.spec
  const [container] = task.containers
  const annotations = template.metadata?.annotations ?? {}
  const aliases = readAliases(annotations['run.googleapis.com/secrets'] ?? '')
  const sqlPlace = document.placeOf(['spec', 'template', 'metadata', 'annotations', sqlKey])
  const sql = (annotations[sqlKey] ?? '').split(',').map((name) => name.trim())
  const instances = sql.filter((name) => name !== '').map((name) => ({ name, place: sqlPlace }))
  const part: JobPart = {
    id: job.metadata.name,
    from: document.placeOf(['metadata', 'name']),
    dir,
    ...readContainer(container, aliases),
    ...given({
      instances: instances.length === 0 ? undefined : instances,
      secretVolumes: toVolumes(task, taskPath, aliases, document, problems),
      serviceAccount: task.serviceAccountName || undefined,
      tasks: template.spec.taskCount ?? undefined,
      parallelism: template.spec.parallelism ?? undefined,
      maxRetries: task.maxRetries ?? undefined,
      timeoutSeconds: task.timeoutSeconds == null ? undefined : Number(task.timeoutSeconds),
    }),
  }
  return { part, ...given({ project: projectOf(job, task.containers, sql), region: regionOf(job, sql) }) }
}
