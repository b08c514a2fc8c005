import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openProject } from '../../src/daemon/adopt.ts'
import { cleanProject } from '../../src/daemon/clean.ts'
import { stateId } from '../../src/engine/docker/docker-host.ts'
import { givenRun, type GivenRun } from '../products/run/given-run.ts'
import { tcpListeners } from './listeners.ts'

let run: GivenRun
const other = 'other-project'

beforeAll(async () => {
  run = await givenRun()
  const { projects, engines } = run.house.foundation
  await projects.put({ ...projects.get(other), engine: 'docker' })
  await openProject(run.house, await engines.choose('docker'), other, AbortSignal.timeout(60_000))
  await run.deploy('one', { template: { scaling: { minInstanceCount: 1 } } })
  const theirs = `projects/${other}/locations/us-central1/services?serviceId=two`
  await run.call('POST', theirs, { template: { containers: [{ image: run.image }], scaling: { minInstanceCount: 1 } } })
}, 120_000)
afterAll(async () => {
  await cleanProject(run.house, other, () => {})
  await run[Symbol.asyncDispose]()
})

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

/** Addresses of containers of this state directory in their networks. */
function addressesOf(...filters: readonly string[]): string[] {
  const state = stateId(run.house.foundation.stateDirectory)
  const all = [`label=dev.devcloud.state=${state}`, ...filters].flatMap((filter) => ['--filter', filter])
  return docker('ps', '-q', ...all)
    .split('\n')
    .filter(Boolean)
    .flatMap((id) => docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', id).split(' '))
    .filter(Boolean)
}

/** `open`, or why not: what a program in the instance of `one` meets at an address. */
async function connectFromOne(host: string, port: number): Promise<string> {
  const script = `const s=require("net").connect({host:"${host}",port:${port},timeout:2000});s.on("connect",()=>{console.log("open");process.exit()});s.on("timeout",()=>{console.log("timeout");process.exit()});s.on("error",(e)=>{console.log(e.code)})`
  const answer = await run.ask('one', `/shell?${new URLSearchParams({ line: `node -e '${script}'` })}`)
  return answer.body.replace(/^0 /, '').trim()
}

test('S38: a container reaches no container of another project, and its own project’s', async () => {
  const [theirs] = addressesOf('label=dev.devcloud.label.service=two')
  const [forwarder] = addressesOf('label=dev.devcloud.role=forwarder', `label=dev.devcloud.project=${other}`)
  const [own] = addressesOf('label=dev.devcloud.label.service=one')
  expect(await connectFromOne(own ?? '', 8080)).toBe('open')
  expect(await connectFromOne(theirs ?? '', 8080)).not.toBe('open')
  for (const port of [53, 80, 443]) expect([port, await connectFromOne(forwarder ?? '', port)]).not.toEqual([port, 'open'])
})

test('S8: a database has no port that a container or a neighbour reaches, and no instance publishes one', async () => {
  const sql = `https://sqladmin.googleapis.com/sql/v1beta4/projects/${run.project}/instances`
  await run.house.api.call('POST', sql, { name: 'main', databaseVersion: 'POSTGRES_15', settings: { tier: 'db-f1-micro' } })
  await run.house.api.call('GET', `${sql}/main/databases`) // answered by the server
  const databases = addressesOf('label=dev.devcloud.role=database')
  expect(databases.length).toBe(1)
  expect(await connectFromOne(databases[0] ?? '', 5432)).not.toBe('open')
  const state = stateId(run.house.foundation.stateDirectory)
  const ports = docker('ps', '--filter', `label=dev.devcloud.state=${state}`, '--format', '{{.Ports}}')
  expect(ports).not.toContain('->')
})

/** A neighbour on a link of this host: answers what a connection to each address meets. Root. */
function connectFromNeighbour(targets: readonly { readonly host: string; readonly port: number }[]): readonly string[] {
  const name = `dct${process.pid}`
  const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  ip('netns', 'add', name)
  try {
    ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`, 'netns', name)
    ip('addr', 'add', `${thisHost}/30`, 'dev', name)
    ip('link', 'set', name, 'up')
    ip('-n', name, 'addr', 'add', '198.51.100.2/30', 'dev', `${name}p`)
    ip('-n', name, 'link', 'set', `${name}p`, 'up')
    ip('-n', name, 'route', 'add', 'default', 'via', thisHost)
    const program = `
      const net = require('node:net')
      const ask = ({ host, port }) => new Promise((done) => {
        const socket = net.connect({ host, port, timeout: 3000 })
        socket.on('connect', () => done('open')).on('timeout', () => done('timeout')).on('error', ({ code }) => done(code))
      })
      Promise.all(JSON.parse(process.argv[1]).map(ask)).then((answers) => { console.log(JSON.stringify(answers)); process.exit() })`
    const args = [`--net=/run/netns/${name}`, process.execPath, '-e', program, JSON.stringify(targets)]
    return JSON.parse(execFileSync('nsenter', args, { encoding: 'utf8' })) as readonly string[]
  } finally {
    ip('netns', 'del', name)
  }
}

const thisHost = '198.51.100.1' // TEST-NET-2
const isRoot = process.env['CI'] === 'true' || process.getuid?.() === 0

test.runIf(isRoot)('S5, S8: from another network namespace every port of the daemon is refused, and a database is not reached', () => {
  const ports = tcpListeners(process.pid).filter(({ pid }) => pid === process.pid)
  expect(ports.length).toBeGreaterThan(3)
  const answers = connectFromNeighbour(ports.map(({ port }) => ({ host: thisHost, port })))
  expect(answers).toEqual(ports.map(() => 'ECONNREFUSED'))
  const databases = addressesOf('label=dev.devcloud.role=database').map((host) => ({ host, port: 5432 }))
  expect(databases).toHaveLength(1)
  expect(connectFromNeighbour(databases)).not.toContain('open')
})
