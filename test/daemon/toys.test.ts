import { expect, test } from 'vitest'
import { initText } from '../../src/config/init-text.ts'
import { jsonSchemaText } from '../../src/config/json-schema.ts'
import { readProject } from '../../src/config/read-project.ts'
import { sections } from '../../src/daemon/catalog.ts'
import { openDaemon } from '../../src/daemon/daemon.ts'
import { startCloud } from '../../src/fixture/start-cloud.ts'
import { givenCli } from '../cli/given-cli.ts'
import { projectFolder } from '../config/project-folder.ts'
import { openToys, toyOffer } from './toys.ts'

const devcloud = 'toys: { robot: { color: red } }\n'

test('a product from outside src is planned, made, listed, led to and removed by way of the catalog alone', async () => {
  await using folder = await projectFolder({ 'devcloud.yaml': devcloud }, 'playroom')
  await using cli = givenCli()
  await using daemon = await openDaemon({ stateDirectory: cli.stateDirectory, port: 0, more: [openToys], onShutdown: () => {} })
  const run = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await cli.run(args, { directory: folder.path })
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    return stdout + stderr
  }
  expect(await run('up', '--plan')).toMatch(/^project playroom .*\ntoy robot +red +devcloud\.yaml:1\n$/)
  const first = await run('up', '-d', '--engine', 'process')
  expect(first).toMatch(/✔ toy robot +made/)
  expect(first).not.toContain('everything was still running')
  expect(await run('up', '--plan')).toContain('nothing to do')
  expect(await run('up', '-d')).toMatch(/everything was still running[^]*✔ toy robot +kept/)
  expect(await run('status')).toMatch(/^ {2}toy +robot +red$/m)
  expect(await run('env', '--endpoints')).toContain(`export TOYS_EMULATOR_HOST='localhost:${daemon.house.gateway.port}'`)
  const robot = 'https://toys.googleapis.com/v1/projects/playroom/toys/robot'
  expect(await daemon.house.api.find(robot)).toEqual({ name: 'projects/playroom/toys/robot', color: 'red' })
  const enable = 'https://serviceusage.googleapis.com/v1/projects/playroom/services/toys.googleapis.com:enable'
  expect(await daemon.house.api.call('POST', enable, {})).toMatchObject({ done: true })
  expect(await run('clean', '--yes')).toMatch(/playroom toys/)
  expect(await daemon.house.api.find(robot)).toBeUndefined()
}, 60_000)

test('its section is read, told of its problems with their places, and in the JSON Schema and what init writes', async () => {
  const all = [...sections, toyOffer.section]
  await using folder = await projectFolder({ 'devcloud.yaml': devcloud }, 'playroom')
  const wanted = await readProject(folder.path, all)
  expect(wanted.parts).toMatchObject({ toys: { toys: [{ id: 'robot', color: 'red' }] } })
  await folder.write({ 'devcloud.yaml': initText(wanted, all) })
  expect((await readProject(folder.path, all)).parts['toys']).toMatchObject({ toys: [{ id: 'robot', color: 'red' }] })
  await folder.write({ 'devcloud.yaml': 'toys: { robot: { colour: red } }\n' })
  await expect(readProject(folder.path, all)).rejects.toMatchObject({
    fault: 'CONFIG_INVALID',
    evidence: ['devcloud.yaml:1:18  unknown key "colour"; write "color"'],
  })
  expect(JSON.parse(jsonSchemaText(all))).toMatchObject({ properties: { toys: { description: 'Toys.' } } })
})

test('the fixture serves it too', async () => {
  await using cloud = await startCloud({ products: ['toys'], more: [openToys] })
  expect(cloud.environment['TOYS_EMULATOR_HOST']).toBe(cloud.endpoint.replace('http://', ''))
  const answer = await fetch(`${cloud.endpoint}/v1/projects/${cloud.project}/toys?toyId=ball`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"color":"blue"}',
  })
  expect(await answer.json()).toEqual({ name: `projects/${cloud.project}/toys/ball`, color: 'blue' })
})
