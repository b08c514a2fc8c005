import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codes } from '../../src/base/cloud-error.ts'
import { errorsText } from '../../src/cli/errors-text.ts'
import { allFaults } from '../../src/cli/all-faults.ts'
import { googleCodes } from '../../src/cli/faults.ts'
import { offers } from '../../src/daemon/catalog.ts'
import { givenCli } from './given-cli.ts'

const source = join(import.meta.dirname, '../../src')
const thrown = /\bfault: ('[A-Z_0-9]+'(?: \| '[A-Z_0-9]+')*)/g

test('every fault that src throws is explained, and nothing else is', async () => {
  const found = thrownIn().map(({ code }) => code)
  const own = [...new Set(found)].filter((code) => !Object.hasOwn(codes, code))
  expect(own.toSorted()).toEqual(Object.keys(await allFaults()).toSorted())
  expect(Object.keys(googleCodes).toSorted()).toEqual(Object.keys(codes).toSorted())
})

test('no product throws a fault that another one explains', () => {
  const folders = new Map(
    offers.flatMap(({ name, faults: own = {} }) => Object.keys(own).map((code) => [code, `products/${name}/`] as const)),
  )
  const elsewhere = thrownIn().filter(({ file, code }) => file.startsWith('products/') && !file.startsWith(folders.get(code) ?? ''))
  expect(elsewhere).toEqual([])
})

test('docs/errors.md is current (else: npm run write)', async () => {
  expect(readFileSync(join(source, '../docs/errors.md'), 'utf8')).toBe(await errorsText())
})

test('devcloud explain tells what a code means, lists all codes, and knows which one was meant', async () => {
  await using cli = givenCli()
  const told = await cli.run(['explain', 'port_taken'])
  expect(told).toMatchObject({ code: 0, stdout: expect.stringMatching(/^PORT_TAKEN\n.*port.*\n→ .*DEVCLOUD_PORT/) })
  expect(JSON.parse((await cli.run(['explain', 'NOT_FOUND', '--json'])).stdout)).toMatchObject({ code: 'NOT_FOUND', exit: 1 })
  const all = await cli.run(['explain'])
  for (const code of [...Object.keys(await allFaults()), ...Object.keys(codes)]) expect(all.stdout).toContain(`${code} `)
  const wrong = await cli.run(['explain', 'PORT_TAKE'])
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('devcloud explain PORT_TAKEN') })
})

/** Every `fault: 'CODE'` of src, with its file. */
function thrownIn(): readonly { readonly file: string; readonly code: string }[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('api/gen/'),
  )
  return files.flatMap((file) =>
    Array.from(readFileSync(join(source, file), 'utf8').matchAll(thrown), ([, words = '']) => words.match(/[A-Z_0-9]+/g) ?? [])
      .flat()
      .map((code) => ({ file, code })),
  )
}
