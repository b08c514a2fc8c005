import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectSocketFolder } from '../../src/base/paths.ts'
import { below } from '../../src/base/plain-name.ts'
import { openLog } from '../../src/base/log.ts'
import { openProcessEngine } from '../../src/engine/process/process-engine.ts'
import { givenGateway } from './given-gateway.ts'

const outside = ['', '.', '..', '../..', 'a/../..', '/', '/etc', 'a/b', 'a\\b', 'a\u0000']

test.each(outside)('S15: a folder for %j is made nowhere', (name) => {
  expect(() => below('/folder', name)).toThrow('cannot be the name of a folder')
  expect(() => projectSocketFolder('/state/gateway.sock', name)).toThrow()
})

test('S15: to remove a project removes its own folder, whatever it is called: nothing of the state, and nothing above it', async () => {
  await using cloud = await givenGateway() // whose socket is in a folder of a folder of its own
  const { socketPath } = cloud.gateway
  const state = join(socketPath, '..')
  for (const name of ['ca', 'objects']) mkdirSync(join(state, name))
  for (const name of ['ca', 'objects', 'shop']) expect(existsSync(await cloud.gateway.listenForProject(name))).toBe(true)
  for (const name of [...outside, 'ca', 'objects', 'shop']) await cloud.gateway.removeProject(name)
  for (const path of [socketPath, join(state, 'ca'), join(state, 'objects')]) expect(existsSync(path)).toBe(true)
  for (const name of ['ca', 'objects', 'shop']) expect(existsSync(projectSocketFolder(socketPath, name))).toBe(false)
})

test("S15: the process engine removes a project's own volumes alone", async () => {
  const state = join(mkdtempSync(join(tmpdir(), 'engine-')), 'a', 'b', 'state')
  mkdirSync(state, { recursive: true })
  writeFileSync(join(state, 'kept'), '')
  await using engine = await openProcessEngine({ stateDirectory: state, log: openLog(undefined) })
  for (const name of outside) await engine.removeProject(name, AbortSignal.timeout(5000))
  expect(existsSync(join(state, 'kept'))).toBe(true)
})
