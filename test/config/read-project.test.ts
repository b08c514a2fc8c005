import { symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { readProject } from '../../src/config/read-project.ts'
import { sections } from '../../src/daemon/catalog.ts'
import { faultIn, faultOf, projectFolder } from './project-folder.ts'
import { readWanted } from './read-wanted.ts'

const dockerfile = 'FROM node:24\nRUN echo \\\n  CMD no\n# CMD no\nCMD ["node", "server.js"]\n'
const nodePackage = '{\n\t"name": "x",\n\t"scripts": {\n\t\t"start": "node server.js"\n\t}\n}\n'

test('a Dockerfile alone is a service named after its folder, with the defaults of Cloud Run', async () => {
  await using folder = await projectFolder({ Dockerfile: dockerfile }, 'Guest Book')
  expect(await readWanted(folder.path)).toEqual({
    project: 'guest-book',
    region: 'us-central1',
    directory: folder.path,
    services: [
      {
        id: 'guest-book',
        from: { file: 'Dockerfile', line: 5, column: 1 },
        source: { directory: folder.path, dockerfile: 'Dockerfile' },
        env: {},
        port: 8080,
        cpus: 1,
        memoryBytes: 512 * 2 ** 20,
        concurrency: 80,
        minInstances: 0,
        maxInstances: 100,
        timeoutSeconds: 300,
        cloudSqlInstances: [],
        secretVolumes: [],
        invoker: 'all',
        before: [],
      },
    ],
    instances: [],
    jobs: [],
    buckets: [],
    secrets: [],
  })
})

test('a Dockerfile beside a package.json gives both ways to run', async () => {
  await using folder = await projectFolder({ Dockerfile: dockerfile, 'package.json': nodePackage })
  const { services } = await readWanted(folder.path)
  expect(services[0]?.source).toEqual({ directory: folder.path, dockerfile: 'Dockerfile', command: ['npm', 'start', '--silent'] })
})

test('the start script of a package.json alone is a service, from its line', async () => {
  await using folder = await projectFolder({ 'package.json': nodePackage })
  const { services } = await readWanted(folder.path)
  expect(services[0]).toMatchObject({
    from: { file: 'package.json', line: 4, column: 3 },
    source: { command: ['npm', 'start', '--silent'] },
  })
  expect(services[0]?.source).not.toHaveProperty('dockerfile')
})

test('the web line of a Procfile goes before the start script', async () => {
  await using folder = await projectFolder({ Procfile: 'worker: a\nweb: gunicorn -b :$PORT main:app\n', 'package.json': nodePackage })
  const { services } = await readWanted(folder.path)
  expect(services[0]).toMatchObject({
    from: { file: 'Procfile', line: 2, column: 1 },
    source: { command: ['sh', '-c', 'gunicorn -b :$PORT main:app'] },
  })
})

test('everything in the answer is frozen', async () => {
  await using folder = await projectFolder({ Dockerfile: dockerfile, 'devcloud.yaml': 'secrets: { a: { value: b } }\n' })
  const unfrozen: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
    if (!Object.isFrozen(value)) unfrozen.push(path)
    for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`)
  }
  visit(await readProject(folder.path, sections), 'wanted')
  expect(unfrozen).toEqual([])
})

test('devcloud.yaml says what production files do not', async () => {
  await using folder = await projectFolder({
    'web/Dockerfile': dockerfile,
    'web/docker/prod.Dockerfile': dockerfile,
    'key.txt': 'from a file\n',
    'devcloud.yaml': `project: shop-42
region: europe-west1
secrets:
  db-password: { random: 24 }
  api-key: { file: key.txt }
  token: { value: hi }
instances:
  main:
    databases: [shop]
    users: { app: { password: { secret: db-password } }, root: { password: "1234" } }
  empty:
buckets:
  shop-uploads: { public: true }
  shop-private:
services:
  web:
    dir: web
    dockerfile: docker/prod.Dockerfile
    args: [--verbose]
    env: { PLAIN: "1", DB: { secret: db-password }, OLD: { secret: token, version: 3 } }
    files: [{ mountPath: /secrets, secret: token }, { mountPath: /secrets, secret: token, version: 2, path: old/token }]
    instances: [main, "shop-42:europe-west1:empty"]
    port: 3000
    cpu: 500m
    memory: 1Gi
    concurrency: 1
    scaling: { min: 1, max: 3 }
    timeout: 60
    serviceAccount: web@shop-42.iam.gserviceaccount.com
    before: [npm run migrate, [node, seed.js]]
  hello: { image: hello:1, command: [/hello] }
`,
  })
  const wanted = await readWanted(folder.path)
  const place = (line: number) => ({ file: 'devcloud.yaml', line, column: 3 })
  expect(wanted).toMatchObject({ project: 'shop-42', region: 'europe-west1' })
  expect(wanted.secrets).toEqual([
    { id: 'db-password', from: place(4), initial: { kind: 'random', bytes: 24 } },
    { id: 'api-key', from: place(5), initial: { kind: 'value', data: Buffer.from('from a file\n'), file: 'key.txt' } },
    { id: 'token', from: place(6), initial: { kind: 'value', data: new TextEncoder().encode('hi') } },
  ])
  expect(wanted.instances).toEqual([
    {
      id: 'main',
      from: place(8),
      databaseVersion: 'POSTGRES_15',
      databases: ['shop'],
      users: [
        { name: 'app', password: '', passwordSecret: 'db-password' },
        { name: 'root', password: '1234' },
      ],
    },
    { id: 'empty', from: place(11), databaseVersion: 'POSTGRES_15', databases: [], users: [] },
  ])
  expect(wanted.buckets).toEqual([
    { name: 'shop-uploads', from: place(13), public: true },
    { name: 'shop-private', from: place(14), public: false },
  ])
  expect(wanted.services[0]).toEqual({
    id: 'web',
    invoker: 'all',
    from: place(16),
    source: { directory: join(folder.path, 'web'), dockerfile: 'docker/prod.Dockerfile' },
    args: ['--verbose'],
    env: { PLAIN: { value: '1' }, DB: { secret: 'db-password', version: 'latest' }, OLD: { secret: 'token', version: '3' } },
    port: 3000,
    cpus: 0.5,
    memoryBytes: 2 ** 30,
    concurrency: 1,
    minInstances: 1,
    maxInstances: 3,
    timeoutSeconds: 60,
    cloudSqlInstances: ['shop-42:europe-west1:main', 'shop-42:europe-west1:empty'],
    secretVolumes: [
      {
        mountPath: '/secrets',
        secret: 'token',
        items: [
          { path: 'token', version: 'latest' },
          { path: 'old/token', version: '2' },
        ],
      },
    ],
    serviceAccount: 'web@shop-42.iam.gserviceaccount.com',
    before: [
      ['sh', '-c', 'npm run migrate'],
      ['node', 'seed.js'],
    ],
  })
  expect(wanted.services[1]).toMatchObject({ id: 'hello', image: 'hello:1', command: ['/hello'] })
  expect(wanted.services[1]).not.toHaveProperty('source')
})

test('a command of devcloud.yaml is what the process engine runs too', async () => {
  await using folder = await projectFolder({
    'devcloud.yaml': 'services: { web: { command: [python3, main.py] } }\nbuckets: [shop-uploads]\n',
  })
  const { services, buckets } = await readWanted(folder.path)
  expect(services[0]).toMatchObject({
    command: ['python3', 'main.py'],
    source: { directory: folder.path, command: ['python3', 'main.py'] },
  })
  expect(buckets).toEqual([{ name: 'shop-uploads', from: { file: 'devcloud.yaml', line: 2, column: 11 }, public: false }])
})

test('a short folder name is padded to a project id', async () => {
  await using folder = await projectFolder({ Dockerfile: dockerfile }, 'web')
  expect(await readWanted(folder.path)).toMatchObject({ project: 'web-app', services: [{ id: 'web' }] })
})

test('a folder reached by a link is the folder itself', async () => {
  await using folder = await projectFolder({ Dockerfile: dockerfile })
  const link = join(folder.path, '..', 'link')
  await symlink(folder.path, link)
  const wanted = await readWanted(link)
  expect([wanted.directory, wanted.services[0]?.id]).toEqual([folder.path, basename(folder.path)])
})

test.each([{}, { 'README.md': 'x' }, { 'package.json': '{}' }, { 'devcloud.yaml': 'services: {}\n' }, { Procfile: 'worker: x\n' }])(
  'a project without anything to run says what to add: %j',
  async (files) => {
    const fault = await faultOf(files)
    expect(fault.fault).toBe('NO_SERVICE')
    expect(fault.next).toContain('Add a Dockerfile')
  },
)

test('a devcloud.yaml of a bucket, a secret or a database alone is a project', async () => {
  for (const text of ['buckets: [shop-uploads]', 'secrets: { key: { random: 32 } }', 'instances: { main: {} }']) {
    await using folder = await projectFolder({ 'devcloud.yaml': text })
    expect(Object.values((await readProject(folder.path, sections)).parts)).toHaveLength(1)
  }
})

test('a folder that is not there is told by name', async () => {
  await using folder = await projectFolder({})
  await expect(readWanted(join(folder.path, 'gone'))).rejects.toMatchObject({ fault: 'NO_FOLDER' })
})

test('a file that is a link out of the project is refused', async () => {
  await using folder = await projectFolder({})
  await symlink('/etc/hostname', join(folder.path, 'Dockerfile'))
  const fault = await faultIn(folder)
  expect(fault.evidence).toEqual(['Dockerfile:1:1  Dockerfile is a link out of the project; put the file into its folder'])
})
