import { execFile, spawn, type ChildProcess } from 'node:child_process'
import http from 'node:http'
import net from 'node:net'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, givenCli, type GivenCli } from './given-cli.ts'

const hello = fileURLToPath(new URL('hello', import.meta.url))
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** `devcloud run services proxy ARGS`, until disposed. */
async function givenProxy(
  cli: GivenCli,
  ...args: readonly string[]
): Promise<AsyncDisposable & { readonly url: string; readonly child: ChildProcess }> {
  const env = { ...process.env, DEVCLOUD_STATE_DIR: cli.stateDirectory, DEVCLOUD_PORT: '0', NO_COLOR: '1' }
  const words = [main, 'run', 'services', 'proxy', 'hello', '--port=0', '--project=demo-one', ...args]
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return {
    url,
    child,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      await ended
    },
  }
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

describe('a service that asks who calls', { timeout: 180_000 }, () => {
  let cli: GivenCli
  let url = ''
  const run = async (...args: readonly string[]) => {
    const ran = await cli.run(args)
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    return ran.stdout.trim()
  }
  beforeAll(async () => {
    cli = givenCli()
    const told = await run('run', 'deploy', 'hello', `--source=${hello}`, '--project=demo-one', '--engine=process')
    url = told.split('\n')[0] ?? ''
    await run('run', 'services', 'update', 'hello', '--update-env-vars=GREETING=canary', '--no-traffic', '--tag=canary')
  })
  afterAll(async () => await cli[Symbol.asyncDispose]())
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

  test('refuses who says nothing, and takes the identity token that is printed', async () => {
    expect((await ask(url)).status).toBe(403)
    const token = await run('auth', 'print-identity-token')
    expect(claimsOf(token)).toMatchObject({ email: 'you@devcloud.local', aud: '32555940559.apps.googleusercontent.com' })
    expect((await ask(url, bearer(token))).status).toBe(200)
    const told = await run('auth', 'print-identity-token', `--audiences=${url}`, '--json')
    expect((await ask(url, bearer((JSON.parse(told) as { readonly token: string }).token))).status).toBe(200)
    expect((await ask(url, bearer(await run('auth', 'print-identity-token', '--audiences=https://other')))).status).toBe(401)
  })

  test('takes a service account that may invoke it', async () => {
    const accounts = 'https://iam.googleapis.com/v1/projects/demo-one/serviceAccounts'
    const access = await run('auth', 'print-access-token')
    const { HTTPS_PROXY: _proxy, ...variables } = JSON.parse(await run('env', '--project=demo-one', '--endpoints', '--json')) as Record<
      string,
      string
    >
    const endpoint = new URL(Object.values(variables).find((value) => value.startsWith('http://')) ?? '')
    const made = await ask(`http://127.0.0.1:${endpoint.port}${new URL(accounts).pathname}`, {
      method: 'POST',
      headers: { host: 'iam.googleapis.com', 'content-type': 'application/json', authorization: `Bearer ${access}` },
      body: JSON.stringify({ accountId: 'robot-1' }),
    })
    expect(made.status, made.body).toBe(200)
    const email = 'robot-1@demo-one.iam.gserviceaccount.com'
    const token = () =>
      run('auth', 'print-identity-token', `--audiences=${url}`, `--impersonate-service-account=${email}`, '--include-email')
    expect(claimsOf(await token())).toMatchObject({ email })
    expect((await ask(url, bearer(await token()))).status).toBe(403)
    await run('run', 'services', 'add-iam-policy-binding', 'hello', `--member=serviceAccount:${email}`, '--role=roles/run.invoker')
    expect((await ask(url, bearer(await token()))).status).toBe(200)
    expect(await run('auth', 'print-access-token', `--impersonate-service-account=${email}`)).toMatch(/^ya29\./)
  })

  test('answers through the proxy: bodies, redirects, streams and upgrades', async () => {
    await using proxy = await givenProxy(cli)
    const headers = { authorization: 'Basic of-the-app', 'content-type': 'text/plain' }
    const answer = JSON.parse((await ask(`${proxy.url}/a?b=c`, { method: 'POST', headers, body: 'x'.repeat(100_000) })).body) as {
      readonly url: string
      readonly headers: Record<string, string>
      readonly body: string
    }
    expect(answer).toMatchObject({ method: 'POST', url: '/a?b=c', headers: { authorization: 'Basic of-the-app' } })
    expect(answer.body).toHaveLength(100_000)
    expect(answer.headers['x-serverless-authorization']).toMatch(/SIGNATURE_REMOVED_BY_GOOGLE$/)
    expect(answer.headers['host']).toBe(new URL(url).hostname)

    expect((await ask(`${proxy.url}/moved`)).headers.location).toBe(`${proxy.url}/there`)

    const events = http.get(`${proxy.url}/events`, { agent: false })
    const [stream] = (await once(events, 'response')) as [http.IncomingMessage]
    const [first] = (await once(stream.setEncoding('utf8'), 'data')) as [string]
    expect(first).toBe('data: first\n\n') // while the answer goes on
    events.destroy()

    const socket = net.connect(Number(new URL(proxy.url).port), '127.0.0.1')
    socket.write('GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const received: string[] = []
    socket.setEncoding('utf8').on('data', (text: string) => received.push(text))
    await expect.poll(() => received.join(''), { timeout: 20_000 }).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n$/)
    socket.write('ping')
    await expect.poll(() => received.join(''), { timeout: 20_000 }).toMatch(/ping$/)
    socket.destroy()
  })

  test('S2: the proxy passes on nothing that a page of another origin, another name or another user asks in its user’s name', async () => {
    await using proxy = await givenProxy(cli)
    const { host } = new URL(proxy.url)
    for (const headers of [
      { host: 'evil.test' },
      { origin: 'http://evil.test' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    ]) {
      expect([headers, (await ask(proxy.url, { headers: { host, ...headers } })).status]).toEqual([headers, 'origin' in headers || 'sec-fetch-site' in headers ? 403 : 421]) // prettier-ignore
    }
    expect((await ask(proxy.url, { method: 'POST', headers: { host, origin: proxy.url, 'sec-fetch-site': 'same-origin' } })).status).toBe(
      200,
    )
    const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    expect((await ask(proxy.url, { headers: link })).status).toBe(200)
    if (process.getuid?.() !== 0) return // only root may become somebody else to try
    const asNobody = promisify(execFile)('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', proxy.url], { uid: 65_534, gid: 65_534 })
    expect((await asNobody).stdout).toBe('403')
  })

  test('is asked at a tag, or with the token that is told', async () => {
    await using proxy = await givenProxy(cli, '--tag=canary')
    expect(JSON.parse((await ask(proxy.url)).body)).toMatchObject({ greeting: 'canary' })
    await using other = await givenProxy(cli, '--token=a.b.c')
    expect((await ask(other.url)).status).toBe(401)
  })

  test('a port that is taken is told', async () => {
    await using taken = net.createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as net.AddressInfo
    const ran = await cli.run(['run', 'services', 'proxy', 'hello', `--port=${port}`])
    expect(ran).toMatchObject({ code: 4, stderr: expect.stringContaining(`PORT_TAKEN  Port ${port} is taken.`) })
  })
})
