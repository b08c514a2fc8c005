import { z } from 'zod'
import { isRecord } from '../base/is-record.ts'
import { devcloudSchema } from './devcloud-schema.ts'
import type { Problems } from './problems.ts'
import type { ProjectFiles } from './project-files.ts'
import { readYaml, type YamlDocument } from './read-yaml.ts'
import { readBySchema, withoutFaults } from './schema-issues.ts'
import type { Reading, Section } from './section.ts'

export const devcloudFile = 'devcloud.yaml'

export interface Devcloud {
  /** As the file says it, even a wrong one: names in the file may speak of it. */
  readonly project?: string
  readonly region?: string
  readingFor(section: Section): Reading
}

/** Reads devcloud.yaml with the schemas of all sections. Entries that do not fit become problems and are left out. */
export async function readDevcloud(files: ProjectFiles, sections: readonly Section[], problems: Problems): Promise<Devcloud> {
  const text = await files.text(devcloudFile)
  const before = problems.count
  const [document = emptyDocument, second] = text === undefined ? [] : readYaml(text, devcloudFile, problems)
  if (second !== undefined) problems.add(second.placeOf([]), 'a second document begins here; write everything into one')
  const isUnread = document === emptyDocument && problems.count > before
  const schema = devcloudSchema(sections)
  const value = document.value ?? {}
  const read = document.value === null ? {} : readBySchema(schema, document, problems)
  const file: Readonly<Record<string, unknown>> = read ?? schema.safeParse(withoutFaults(schema, value)).data ?? {}
  const said = (key: 'project' | 'region') => (isRecord(value) && typeof value[key] === 'string' ? { [key]: value[key] } : {})
  return {
    ...said('project'),
    ...said('region'),
    readingFor: ({ keys }) => ({
      files,
      problems,
      document,
      told: Object.fromEntries(Object.keys(keys).map((key) => [key, file[key]])),
      namesUnder: (key) => (isUnread ? undefined : namesUnder(value, key, schema)),
    }),
  }
}

const emptyDocument: YamlDocument = {
  value: null,
  placeOf: () => ({ file: devcloudFile, line: 1, column: 1 }),
  keyPlaceOf: () => ({ file: devcloudFile, line: 1, column: 1 }),
}

/** Names count even where what they name does not fit. An unknown key may be the misspelt one that has the names. */
function namesUnder(value: unknown, key: string, schema: z.ZodObject): readonly string[] | undefined {
  if (!isRecord(value) || Object.keys(value).some((known) => !(known in schema.shape))) return undefined
  const named = value[key]
  if (named === undefined || named === null) return []
  return typeof named === 'object' ? Object.keys(named) : undefined
}
