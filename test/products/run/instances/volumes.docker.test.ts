import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

const secretsUrl = 'https://secretmanager.googleapis.com/v1'

async function addVersion(run: GivenRun, secret: string, text: string): Promise<void> {
  const name = `${secretsUrl}/projects/${run.project}/secrets/${secret}`
  if ((await run.house.api.find(name)) === undefined)
    await run.house.api.call('POST', `${secretsUrl}/projects/${run.project}/secrets?secretId=${secret}`, { replication: { automatic: {} } })
  await run.house.api.call('POST', `${name}:addVersion`, { payload: { data: Buffer.from(text).toString('base64') } })
}

async function read(run: GivenRun, service: string, path: string): Promise<string> {
  return (await run.ask(service, `/read?path=${encodeURIComponent(path)}`)).body
}

async function stat(run: GivenRun, service: string, path: string): Promise<string> {
  return (await run.ask(service, `/stat?path=${encodeURIComponent(path)}`)).body
}

/** With two secret volumes of one secret: what is newest, and versions by their numbers. */
async function givenSecretService(run: GivenRun, id: string): Promise<void> {
  const items = [
    { path: 'pinned/first', version: '1' },
    { path: 'newest', version: 'latest', mode: 0o440 },
  ]
  await run.deploy(id, {
    template: {
      containers: [
        {
          image: run.image,
          env: [{ name: 'KEY', valueSource: { secretKeyRef: { secret: 'key', version: 'latest' } } }],
          volumeMounts: [
            { name: 'plain', mountPath: '/plain' },
            { name: 'items', mountPath: '/items' },
            { name: 'missing', mountPath: '/missing' },
          ],
        },
      ],
      volumes: [
        { name: 'plain', secret: { secret: 'key' } },
        { name: 'items', secret: { secret: 'key', items } },
        { name: 'missing', secret: { secret: 'nowhere' } },
      ],
    },
  })
}

const storageUrl = 'https://storage.googleapis.com/storage/v1/b'

/** In one house, side by side: each has services of its own. */
describe.concurrent('volumes', () => {
  let run: GivenRun
  beforeAll(async () => void (run = await givenRun()))
  afterAll(async () => await run[Symbol.asyncDispose]())

  test('reliability F59: under rotation a file is whole, old or new, and the pinned one never changes', async () => {
    const text = (n: number) => `${n}:${String(n).repeat(60_000)}`
    await addVersion(run, 'key', text(1))
    await givenSecretService(run, 'rotated')
    const seen = new Set<string>()
    for (let n = 2; n <= 6; n += 1) {
      const adding = addVersion(run, 'key', text(n))
      for (let reads = 0; reads < 4; reads += 1) {
        const [newest, pinned] = await Promise.all([read(run, 'rotated', '/items/newest'), read(run, 'rotated', '/items/pinned/first')])
        const number = Number(newest.split(':')[0])
        expect(newest === text(number)).toBe(true)
        expect(pinned === text(1)).toBe(true)
        seen.add(String(number))
      }
      await adding
    }
    await eventually('the last version', async () => (await read(run, 'rotated', '/items/newest')) === text(6))
    expect(seen.size).toBeGreaterThan(1)
  })

  test('run trap 38: a secret of a variable that is missing keeps the instance from starting, by name', async () => {
    const env = [{ name: 'KEY', valueSource: { secretKeyRef: { secret: 'nowhere', version: 'latest' } } }]
    await expect(run.deploy('secretless', { container: { env } })).rejects.toThrow(/secrets\/nowhere\/versions\/latest/)
  })

  test('a folder in memory is shared by the containers of an instance, bounded, and gone with it (run trap 18)', async () => {
    const program = `process.on('SIGTERM', () => process.exit()); require('node:fs').writeFileSync('/shared/from-side', 'hello'); setInterval(() => {}, 1000)`
    const volumeMounts = [{ name: 'mem', mountPath: '/shared' }]
    await run.deploy('shares', {
      template: {
        scaling: { maxInstanceCount: 2 },
        maxInstanceRequestConcurrency: 1,
        containers: [
          { name: 'shares', image: run.image, ports: [{ containerPort: 8080 }], volumeMounts },
          { name: 'side', image: run.image, command: ['node', '-e', program], volumeMounts },
        ],
        volumes: [{ name: 'mem', emptyDir: { medium: 'MEMORY', sizeLimit: '16Mi' } }],
      },
    })
    await eventually('the sidecar wrote', async () => (await read(run, 'shares', '/shared/from-side')) === 'hello')
    expect((await run.ask('shares', '/write?path=/shared/big&mb=20')).body).toContain('ENOSPC')
    await run.ask('shares', '/remove?path=/shared/big')
    expect((await run.ask('shares', '/write?path=/shared/small&mb=8')).status).toBe(200)
    await run.ask('shares', '/put?path=/tmp/own&text=x')
    const [one, two] = await Promise.all([run.ask('shares', '/sleep?ms=4000'), run.ask('shares', '/sleep?ms=4000')])
    expect(one.body).not.toBe(two.body)
    const looks = await Promise.all(
      Array.from({ length: 2 }, () => run.ask('shares', '/shell?line=' + encodeURIComponent('ls /shared /tmp; sleep 2'))),
    )
    expect(looks.filter(({ body }) => body.includes('small') || body.includes('own')).length).toBe(1)
  })

  test('run trap 40: the socket of a database is in its folder, and survives a restart of the database', async () => {
    const sql = `https://sqladmin.googleapis.com/v1/projects/${run.project}/instances`
    const body = { name: 'main', databaseVersion: 'POSTGRES_15', region: 'us-central1', settings: { tier: 'db-f1-micro' } }
    const wait = async (operation: Record<string, unknown>) => {
      const url = `https://sqladmin.googleapis.com/v1/projects/${run.project}/operations/${String(operation['name'])}`
      await eventually('the database', async () => (await run.house.api.call('GET', url))['status'] === 'DONE', 60_000)
    }
    await wait(await run.house.api.call('POST', sql, body))
    const connection = `${run.project}:us-central1:main`
    const folder = `/cloudsql/${connection}`
    await run.deploy('dials', {
      container: { volumeMounts: [{ name: 'db', mountPath: '/cloudsql' }] },
      template: { volumes: [{ name: 'db', cloudSqlInstance: { instances: [connection] } }] },
    })
    const socket = async () => await stat(run, 'dials', `${folder}/.s.PGSQL.5432`)
    const connect = `node -e "require('net').connect('${folder}/.s.PGSQL.5432').on('connect', () => { console.log('in'); process.exit() }).on('error', (e) => console.log(e.code))"`
    const dial = async () => (await run.ask('dials', `/shell?line=${encodeURIComponent(connect)}`)).body
    await eventually('the socket', async () => (await socket()).endsWith(' socket') && (await dial()) === '0 in\n')
    const before = await run.ask('dials', '/id')
    await wait(await run.house.api.call('POST', `${sql}/main/restart`, {}))
    await eventually('the socket after the restart', async () => (await dial()) === '0 in\n')
    expect(await socket()).toMatch(/ socket$/)
    expect((await run.ask('dials', '/id')).body).toBe(before.body)
  })

  test('a bucket that is not there keeps the instance from starting, by name', async () => {
    const template = { volumes: [{ name: 'v', gcs: { bucket: 'no-such-bucket-here' } }] }
    await expect(run.deploy('bucketless', { container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] }, template })).rejects.toThrow(
      /no-such-bucket-here/,
    )
  })

  test('volumes that cannot be are refused by name', async () => {
    const deploy = (volume: object, ...mountPaths: string[]) =>
      run.deploy('refused', {
        template: {
          containers: [{ image: run.image, volumeMounts: mountPaths.map((mountPath) => ({ name: 'v', mountPath })) }],
          volumes: [{ name: 'v', ...volume }],
        },
      })
    await expect(deploy({ nfs: { server: 'a', path: '/b' } }, '/mnt')).rejects.toMatchObject({ code: 'UNIMPLEMENTED' })
    await expect(deploy({ emptyDir: { medium: 'MEMORY' } }, '/a', '/a/b')).rejects.toThrow('The mounts at /a and /a/b are nested')
    await expect(deploy({ emptyDir: { medium: 'MEMORY' } }, 'relative')).rejects.toThrow('must be an absolute path')
    await expect(deploy({ secret: { secret: 'a' } }, '/x:y')).rejects.toThrow('must be an absolute path')
  })
})

test('run traps 38 and 39: a variable is frozen, a file of latest follows, a pinned one stays; a missing secret fails the read alone', async () => {
  await using run = await givenRun()
  await addVersion(run, 'key', 'one')
  await givenSecretService(run, 'app')
  expect(await stat(run, 'app', '/plain/key')).toBe(`0444 ${process.getuid?.()}:${process.getgid?.()} file`)
  expect(await stat(run, 'app', '/items/newest')).toMatch(/^0440 /)
  expect(await read(run, 'app', '/items/pinned/first')).toBe('one')
  expect(await read(run, 'app', '/missing/nowhere')).toContain('ENOENT')
  const refused = await run.ask('app', '/put?path=/plain/key&text=x')
  expect(refused.body).toMatch(/EROFS|read-only/)
  const before = await run.ask('app', '/id')

  await addVersion(run, 'key', 'two')
  await addVersion(run, 'nowhere', 'found')
  await eventually('the new version is read', async () => (await read(run, 'app', '/plain/key')) === 'two')
  expect(await read(run, 'app', '/items/newest')).toBe('two')
  expect(await read(run, 'app', '/items/pinned/first')).toBe('one')
  await eventually('the missing one is read', async () => (await read(run, 'app', '/missing/nowhere')) === 'found')
  expect(JSON.parse((await run.ask('app', '/env')).body)).toMatchObject({ KEY: 'one' })
  expect((await run.ask('app', '/id')).body).toBe(before.body)

  await run.house.api.call('POST', `${secretsUrl}/projects/${run.project}/secrets/key/versions/2:disable`, {})
  await eventually('a disabled version is not read', async () => (await read(run, 'app', '/plain/key')).includes('ENOENT'))

  await run.restart()
  await addVersion(run, 'key', 'three')
  await eventually('a new daemon goes on', async () => (await read(run, 'app', '/plain/key')) === 'three')
  expect((await run.ask('app', '/id')).body).toBe(before.body)
})

test('a bucket is a folder: what either side writes and deletes is seen by the other, and by other instances', async () => {
  await using run = await givenRun()
  const bucket = `${run.project}-files`
  await run.house.api.call('POST', `${storageUrl}?project=${run.project}`, { name: bucket })
  const container = (readOnly: boolean) => ({
    container: { volumeMounts: [{ name: 'files', mountPath: '/mnt/files' }] },
    template: { volumes: [{ name: 'files', gcs: { bucket, readOnly } }] },
  })
  await run.deploy('writer', container(false))
  await run.deploy('reader', container(true))
  const names = async () => {
    const { items = [] } = await run.house.api.call('GET', `${storageUrl}/${bucket}/o`)
    return (items as { readonly name: string }[]).map(({ name }) => name).join(' ')
  }
  const put = (service: string, path: string) => run.ask(service, `/put?path=/mnt/files/${path}&text=hello`)
  expect((await put('writer', 'a/b/c.txt')).status).toBe(200)
  await eventually('the object', async () => (await names()) === 'a/b/c.txt')
  expect(await read(run, 'reader', '/mnt/files/a/b/c.txt')).toBe('hello')
  expect((await put('reader', 'x')).body).toMatch(/EROFS|read-only/)
  await run.house.api.call('DELETE', `${storageUrl}/${bucket}/o/${encodeURIComponent('a/b/c.txt')}`)
  await eventually('the file is gone', async () => (await read(run, 'reader', '/mnt/files/a/b/c.txt')).includes('ENOENT'))

  await run.restart()
  expect((await put('writer', 'later')).status).toBe(200)
  await eventually('a new daemon goes on', async () => (await names()) === 'later')
  await run.ask('writer', '/remove?path=/mnt/files/later')
  await eventually('the object is gone', async () => (await names()) === '')
})
