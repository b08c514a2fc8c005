import { z } from 'zod'
import { devcloudSchema } from './devcloud-schema.ts'

/** The text of schema.json: the JSON Schema of devcloud.yaml, in the draft that editors' YAML plugins read. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(devcloudSchema, { target: 'draft-7', io: 'input' })
  return `${JSON.stringify({ title: 'devcloud.yaml', ...schema }, undefined, 2)}\n`
}
