import type { z } from 'zod'
import { rules } from './ids.ts'
import { strict, text } from './schema-parts.ts'
import type { Section } from './section.ts'

/** devcloud.yaml as it is written: the project's own two keys, and those of every section. Everything is optional. */
export function devcloudSchema(sections: readonly Section[]): z.ZodObject {
  return strict({
    project: text(rules.project).optional().describe("Default: of service.yaml, else the folder's name."),
    region: text(rules.region).optional().describe('Default: of service.yaml, else us-central1.'),
    ...Object.assign({}, ...sections.map(({ keys }) => keys)),
  })
}
