import type { z } from 'zod'
import { rules } from './ids.ts'
import { strict, text } from './schema-parts.ts'
import type { Section } from './section.ts'

/** The schema of devcloud.yaml: the two keys of the project, and the keys of every section. Every key is optional. */
export function devcloudSchema(sections: readonly Section[]): z.ZodObject {
  return strict({
    project: text(rules.project).optional().describe("The project's id. Default: the project in service.yaml, else the folder's name."),
    region: text(rules.region).optional().describe('The region. Default: the region in service.yaml, else us-central1.'),
    ...Object.assign({}, ...sections.map(({ keys }) => keys)),
  })
}
