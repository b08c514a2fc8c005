import { z } from 'zod'
import { devcloudSchema } from './devcloud-schema.ts'
import type { Section } from './section.ts'

/** The text of schema.json: the JSON Schema of devcloud.yaml, in the draft that editors' YAML plugins read. */
export function jsonSchemaText(sections: readonly Section[]): string {
  const schema = z.toJSONSchema(devcloudSchema(sections), { target: 'draft-7', io: 'input' })
  return `${JSON.stringify({ title: 'devcloud.yaml', ...schema }, undefined, 2)}\n`
}
