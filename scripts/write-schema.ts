// Writes schema.json: npm run write. test/config/json-schema.test.ts fails when the file is old.
import { writeFileSync } from 'node:fs'
import { jsonSchemaText } from '../src/config/json-schema.ts'
import { sections } from '../src/daemon/catalog.ts'

writeFileSync(new URL('../schema.json', import.meta.url), jsonSchemaText(sections))
