// The application of the container tests: what it does is chosen by the path, and at its start by its environment.
//   BOOT_MS      waits so long before it listens              BOOT_EXIT   exits with this code instead
//   TERM_MS      takes so long to end after SIGTERM           TERM_IGNORE does not end at all
//   PORTLESS     listens on nothing (sidecars, workers)       EXIT_AFTER_MS exits with 1 so long after it listens
import http from 'node:http'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const env = process.env
const say = (text) => process.stdout.write(`${text}\n`)
/** Unlike any other instance's, and unlike the one of a restarted process. */
const id = crypto.randomUUID()
const held = []
let ticks = 0
let sideEffects = 0
let isReady = true
let isLive = true
setInterval(() => (ticks += 1), 100)

const ways = {
  '/id': () => id,
  '/env': () => JSON.stringify(env),
  '/headers': (_query, request) => JSON.stringify(request.headers),
  '/ticks': () => String(ticks),
  '/sleep': async (query) => {
    await sleep(Number(query.get('ms')))
    return id
  },
  /** Busy without rest: nothing else is done meanwhile. */
  '/spin': (query) => {
    const end = Date.now() + Number(query.get('ms'))
    while (Date.now() < end);
    return id
  },
  /** Does its work after `ms`, whoever still waits. */
  '/side': async (query) => {
    await sleep(Number(query.get('ms')))
    sideEffects += 1
    say(`side effect ${sideEffects}`)
    return id
  },
  '/sides': () => `${id} ${sideEffects}`,
  '/crash': (query) => process.exit(Number(query.get('code') ?? 1)),
  '/allocate': (query) => {
    for (let mb = 0; mb < Number(query.get('mb')); mb += 1) held.push(Buffer.alloc(1 << 20, 1))
    return String(held.length)
  },
  '/write': (query) => {
    writeFileSync(query.get('path'), Buffer.alloc(Number(query.get('mb') ?? 0) * (1 << 20) || 1, 1))
    return id
  },
  '/exists': (query) => `${id} ${existsSync(query.get('path'))}`,
  '/read': (query) => readFileSync(query.get('path'), 'utf8'),
  /** `0444 uid:gid file`, and so on. */
  '/stat': (query) => {
    const stat = statSync(query.get('path'))
    const kind = stat.isSocket() ? 'socket' : stat.isDirectory() ? 'directory' : 'file'
    return `${(stat.mode & 0o7777).toString(8).padStart(4, '0')} ${stat.uid}:${stat.gid} ${kind}`
  },
  '/list': (query) => readdirSync(query.get('path'), { recursive: true }).toSorted().join(' '),
  '/remove': (query) => rmSync(query.get('path'), { recursive: true }) ?? id,
  /** Writes text, making the folder. */
  '/put': (query) => {
    mkdirSync(dirname(query.get('path')), { recursive: true })
    writeFileSync(query.get('path'), query.get('text'))
    return id
  },
  /** Runs a line of a shell. */
  '/shell': (query) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', query.get('line')], { encoding: 'utf8' })
    return `${status} ${stdout}${stderr}`
  },
  '/log': (query) => {
    say(query.get('text'))
    return id
  },
  /** Asks another address from inside, such as a sidecar at localhost:9000. */
  '/fetch': async (query) => {
    const answer = await fetch(query.get('url'), { headers: JSON.parse(query.get('headers') ?? '{}') })
    return `${answer.status} ${await answer.text()}`
  },
  '/ready': (query) => {
    if (query.has('set')) isReady = query.get('set') === 'true'
    return isReady ? 'ready' : { status: 503, body: 'not ready' }
  },
  '/live': (query) => {
    if (query.has('set')) isLive = query.get('set') === 'true'
    return isLive ? 'live' : { status: 503, body: 'not live' }
  },
}

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://app')
  const way = ways[url.pathname] ?? (() => ({ status: 404, body: `no ${url.pathname}` }))
  try {
    const answer = await way(url.searchParams, request)
    const { status, body } = typeof answer === 'object' ? answer : { status: 200, body: answer }
    response.writeHead(status, { 'x-instance': id })
    if (request.method === 'POST') for await (const _piece of request);
    response.end(body)
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
})
server.keepAliveTimeout = 620_000

process.on('SIGTERM', async () => {
  say(`SIGTERM ${id}`)
  if (env.TERM_IGNORE) return
  await sleep(Number(env.TERM_MS ?? 0))
  say(`ended ${id}`)
  process.exit(0)
})

if (env.BOOT_MS) await sleep(Number(env.BOOT_MS))
if (env.BOOT_EXIT) {
  say('cannot start')
  process.exit(Number(env.BOOT_EXIT))
}
say(`started ${id}`)
if (!env.PORTLESS) server.listen(Number(env.PORT ?? 8080), env.BIND ?? '0.0.0.0')
if (env.EXIT_AFTER_MS) setTimeout(() => process.exit(1), Number(env.EXIT_AFTER_MS))
