import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDaemon, type Daemon } from '../../src/daemon/daemon.ts'
import { givenPage, type GivenPage } from '../browser/given-page.ts'

const canary = Buffer.from('c4n4ry').toString('base64')
const buckets = 'https://storage.googleapis.com/storage/v1/b'

let directory: string
let daemon: Daemon
let browser: GivenPage
let port: number

/** What an object of a bad user tries: the secret of a project, a bucket of its own, a job. It writes down what it got. */
const theft = (origin: string) => `
  const asked = ['/v1/projects/shop-app/secrets/key/versions/latest:access', '/storage/v1/b?project=shop-app', '/v2/projects/shop-app/locations/us-central1/jobs']
  const told = []
  for (const base of [...new Set(['', '${origin}', 'http://127.0.0.1:' + location.port])])
    for (const path of asked)
      for (const init of [{}, { method: 'POST', body: '{"name":"stolen-bytes"}' }, { headers: { 'x-goog-api-client': 'a' } }])
        told.push(await fetch(base + path, init).then((answer) => answer.text().then((text) => answer.status + ' ' + text), String))
  document.title = 'ran ' + told.length
  document.body.textContent = told.join('\\n')`

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dc-'))
  daemon = await openDaemon({ stateDirectory: directory, port: 0, onShutdown: () => {} })
  browser = await givenPage()
  const { api, gateway } = daemon.house
  port = gateway.port
  const secrets = 'https://secretmanager.googleapis.com/v1/projects/shop-app/secrets'
  await api.call('POST', `${secrets}?secretId=key`, { replication: { automatic: {} } })
  await api.call('POST', `${secrets}/key:addVersion`, { payload: { data: canary } })
  for (const name of ['shop-bytes', 'private-bytes']) await api.call('POST', `${buckets}?project=shop-app`, { name })
  await api.call('PUT', `${buckets}/shop-bytes/iam`, { bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'] }] })
  const script = `<script type="module">${theft(`http://localhost:${port}`)}</script>`
  await put('evil.html', 'text/html', `<!doctype html><title>still</title><body>${script}`)
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"><title>still</title><script>document.documentElement.setAttribute('id', 'ran')</script></svg>`
  await put('evil.svg', 'image/svg+xml', svg)
  await put('sniffed', 'text/plain', `<!doctype html><title>ran</title>${script}`)
  await put('site/index.html', 'text/html', '<!doctype html><title>site</title><img id="i" src="dot.svg"><script src="app.js"></script>')
  await put('site/app.js', 'text/javascript', 'document.title = "site of " + location.host')
  await put('site/dot.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"></svg>')
})
afterAll(async () => {
  await browser[Symbol.asyncDispose]()
  await daemon[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

test.each(['localhost', '127.0.0.1'])("S18: at %s, where the local user has authority, an object's script does not run", async (host) => {
  const { page } = browser
  for (const path of [
    '/shop-bytes/evil.html',
    '/shop-bytes/sniffed',
    '/download/storage/v1/b/shop-bytes/o/evil.html?alt=media',
    '/storage/v1/b/shop-bytes/o/evil.html?alt=media',
  ]) {
    await page.goto(`http://${host}:${port}${path}`)
    await page.waitForTimeout(200)
    expect([path, await page.title()]).toEqual([path, expect.not.stringMatching(/^ran/)])
    expect(await page.content()).not.toContain(canary)
  }
  await page.goto(`http://${host}:${port}/shop-bytes/evil.svg`)
  expect(await page.evaluate('document.documentElement.id')).toBe('')
})

test.each(['storage.localhost', 'shop-bytes.storage.localhost'])('at %s it runs, as on the web, and gets nothing at all', async (host) => {
  const { page } = browser
  const path = host.startsWith('shop-bytes.') ? '/evil.html' : '/shop-bytes/evil.html'
  await page.goto(`http://${host}:${port}${path}`)
  await expect.poll(() => page.title(), { timeout: 20_000 }).toMatch(/^ran \d+$/)
  const told = String(await page.evaluate('document.body.textContent'))
  expect(told).not.toMatch(/c4n4ry|YzRuNHJ5|private-bytes|stolen-bytes"|"(?:jobs|items)"/)
  for (const line of told.split('\n').filter((one) => /^\d/.test(one))) expect(line).toMatch(/^(4\d\d) /)
  const { items } = (await daemon.house.api.call('GET', `${buckets}?project=shop-app`)) as {
    readonly items: readonly { readonly name: string }[]
  }
  expect(items.map(({ name }) => name)).toEqual(['private-bytes', 'shop-bytes'])
})

test("a bucket's public site works in a browser at an origin of its own", async () => {
  const { page } = browser
  await page.goto(`http://shop-bytes.storage.localhost:${port}/site/index.html`)
  await expect.poll(() => page.title()).toBe(`site of shop-bytes.storage.localhost:${port}`)
  expect(await page.evaluate('document.getElementById("i").naturalWidth')).toBe(7)
  const answer = await page.goto(`http://private-bytes.storage.localhost:${port}/anything`)
  expect(answer?.status()).toBe(403)
})

test('S18: a name with a script in it runs in no error page', async () => {
  const { page } = browser
  const name = encodeURIComponent('<img src=x onerror="document.title=\'ran\'"><script>document.title="ran"</script>')
  for (const host of ['localhost', 'storage.localhost', 'shop-bytes.storage.localhost']) {
    for (const path of [
      `/shop-bytes/${name}`,
      `/${name}`,
      `/${name}/${name}`,
      `/download/storage/v1/b/shop-bytes/o/${name}?alt=media`,
      `/v1/${name}`,
      `/?${name}=${name}`,
    ]) {
      await page.goto(`http://${host}:${port}${path}`)
      expect([host, path, await page.title()]).toEqual([host, path, expect.not.stringMatching(/^ran/)])
    }
  }
})

test('S3 and S2: a page of the web, framed, scripted or by form, changes nothing at any port', async () => {
  const { page } = browser
  await page.goto(`http://shop-bytes.storage.localhost:${port}/site/index.html`)
  const tried =
    await page.evaluate(`Promise.all(['ws://localhost:${port}/', 'ws://127.0.0.1:${daemon.house.foundation.router.port}/'].map((url) =>
    new Promise((resolve) => { const s = new WebSocket(url); s.onopen = () => resolve('open'); s.onerror = () => resolve('refused') })))`)
  expect(tried).toEqual(['refused', 'refused'])
  await page.evaluate(`{
    const form = Object.assign(document.createElement('form'), { method: 'post', action: 'http://localhost:${port}/storage/v1/b?project=shop-app', enctype: 'text/plain' })
    form.append(Object.assign(document.createElement('input'), { name: '{"name":"stolen-bytes","a":"', value: '"}' }))
    document.body.append(form); form.submit() }`)
  await page.waitForURL(/localhost:\d+\/storage\/v1/)
  expect(await page.content()).not.toContain('selfLink')
  const { items } = (await daemon.house.api.call('GET', `${buckets}?project=shop-app`)) as {
    readonly items: readonly { readonly name: string }[]
  }
  expect(items.map(({ name }) => name)).not.toContain('stolen-bytes')
})

async function put(name: string, type: string, text: string): Promise<void> {
  const token = daemon.house.foundation.tokens.accessToken('you@devcloud.local').token
  const query = `uploadType=media&name=${encodeURIComponent(name)}`
  const answer = await fetch(`http://127.0.0.1:${port}/upload/storage/v1/b/shop-bytes/o?${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    body: text,
  })
  expect(answer.status).toBe(200)
}
