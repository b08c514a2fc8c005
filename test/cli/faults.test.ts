import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codes } from '../../src/base/cloud-error.ts'
import { errorsText } from '../../src/cli/errors-text.ts'
import { faults, googleCodes } from '../../src/cli/faults.ts'
import { givenCli } from './given-cli.ts'

const source = join(import.meta.dirname, '../../src')
const thrown = /\bfault: ('[A-Z_0-9]+'(?: \| '[A-Z_0-9]+')*)/g

test('every fault that src throws is explained, and nothing else is', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('api/gen/'),
  )
  const found = files.flatMap((file) =>
    Array.from(readFileSync(join(source, file), 'utf8').matchAll(thrown), ([, words = '']) => words.match(/[A-Z_0-9]+/g) ?? []).flat(),
  )
  const own = [...new Set(found)].filter((code) => !Object.hasOwn(codes, code))
  expect(own.toSorted()).toEqual(Object.keys(faults).toSorted())
  expect(Object.keys(googleCodes).toSorted()).toEqual(Object.keys(codes).toSorted())
})

test('docs/errors.md is current (else: npm run write)', () => {
  expect(readFileSync(join(source, '../docs/errors.md'), 'utf8')).toBe(errorsText())
})

test('devcloud explain tells what a code means, lists all codes, and knows which one was meant', async () => {
  await using cli = givenCli()
  const told = await cli.run(['explain', 'port_taken'])
  expect(told).toMatchObject({ code: 0, stdout: expect.stringMatching(/^PORT_TAKEN\n.*port.*\n→ .*DEVCLOUD_PORT/) })
  expect(JSON.parse((await cli.run(['explain', 'NOT_FOUND', '--json'])).stdout)).toMatchObject({ code: 'NOT_FOUND', exit: 1 })
  const all = await cli.run(['explain'])
  for (const code of [...Object.keys(faults), ...Object.keys(codes)]) expect(all.stdout).toContain(`${code} `)
  const wrong = await cli.run(['explain', 'PORT_TAKE'])
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('devcloud explain PORT_TAKEN') })
})
