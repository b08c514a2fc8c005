// Writes schema.json: node src/config/write-schema.ts. test/config/json-schema.test.ts tells when that is due.
import { writeFileSync } from 'node:fs'
import { jsonSchemaText } from './json-schema.ts'

writeFileSync(new URL('../../schema.json', import.meta.url), jsonSchemaText())
