import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { givenCli } from '../cli/given-cli.ts'
import { projectFolder } from '../config/project-folder.ts'

const server = "require('node:http').createServer((q, r) => r.end(process.env.A)).listen(process.env.PORT)\n"
const devcloud = (color: string) => `secrets: { key: { random: 16 } }
buckets: [up-plan-of-a-test]
services:
  web: { dir: app, env: { A: "${color}", KEY: { secret: key } } }
jobs:
  nightly: { service: web, command: [node, -e, "1"] }
`

test('up --plan tells what up would do to what runs: all, nothing, what changed, and a start', async () => {
  await using folder = await projectFolder(
    { 'app/package.json': '{ "scripts": { "start": "node server.js" } }', 'app/server.js': server, 'devcloud.yaml': devcloud('red') },
    'up-plan',
  )
  await using cli = givenCli()
  const run = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await cli.run(args, { directory: folder.path })
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    return args.includes('--plan') ? stdout.replaceAll(/ {2,}/g, '  ') : stdout + stderr
  }
  const nothing = 'project up-plan  us-central1\n  nothing to do: everything is as the files say\n'
  expect(await run('up', '--plan')).toMatch(
    /secret key {2}16 random bytes {2}devcloud.yaml:1\n[^]*service web .*devcloud.yaml:4\n[^]*job nightly/,
  )
  await run('up', '-d', '--engine', 'process')
  expect(await run('up', '--plan')).toBe(nothing)

  await folder.write({ 'devcloud.yaml': devcloud('blue') })
  expect(await run('up', '--plan')).toBe('project up-plan  us-central1\nservice web  new revision: env changed\n')
  expect(await run('up', '-d')).toMatch(/service web +web-00002/)
  appendFileSync(join(folder.path, 'app/server.js'), '// another one\n')
  expect(await run('up', '--plan')).toBe(
    'project up-plan  us-central1\nservice web  new revision: image changed\njob nightly  updated: image changed\nbuild web  source changed, or only a build can tell\n',
  )
  await run('up', '-d')
  expect(await run('up', '--plan')).toBe(nothing)

  await run('down')
  expect(await run('up', '--plan')).toBe('project up-plan  us-central1\nstart  the project is down\n')
  expect(await run('up', '-d')).not.toContain('everything was still running')
}, 120_000)
