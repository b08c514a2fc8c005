// Writes schema.json: node scripts/write-schema.ts. test/config/json-schema.test.ts tells when that is due.
import { writeFileSync } from 'node:fs'
import { jsonSchemaText } from '../src/config/json-schema.ts'
import { sections } from '../src/daemon/catalog.ts'

writeFileSync(new URL('../schema.json', import.meta.url), jsonSchemaText(sections))
