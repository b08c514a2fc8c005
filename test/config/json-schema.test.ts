import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { sections } from '../../src/daemon/catalog.ts'
import { jsonSchemaText } from '../../src/config/json-schema.ts'

test('schema.json is current (else: npm run write)', async () => {
  expect(await readFile(new URL('../../schema.json', import.meta.url), 'utf8')).toBe(jsonSchemaText(sections))
})
