import { mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Docker from 'dockerode'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLog } from '../../src/base/log.ts'
import { openDockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { needsBuildKit } from '../../src/engine/docker/dockerfile-steps.ts'
import { importNodeImage } from '../../src/engine/docker/node-image.ts'
import type { BuildSource, Engine } from '../../src/engine/engine.ts'

const soon = () => AbortSignal.timeout(60_000)
const project = `build-${process.pid}`
const docker = new Docker()
const stateDirectory = mkdtempSync(join(tmpdir(), 'devcloud-build-'))
let engine: Engine
let base: string

beforeAll(async () => {
  base = await importNodeImage(docker, 'devcloud-test/node', {}, soon())
  engine = await open(stateDirectory)
})
afterAll(async () => {
  await engine.removeProject(project, soon())
})

function open(stateDirectory: string): Promise<Engine> {
  return openDockerEngine({ stateDirectory, log: openLog(undefined), gateway: { socketPath: join(stateDirectory, 'gateway.sock') } })
}

function givenFolder(files: Readonly<Record<string, string>>): BuildSource {
  const directory = mkdtempSync(join(tmpdir(), 'devcloud-app-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return { project, name: 'app', directory, dockerfile: 'Dockerfile' }
}

async function build(source: BuildSource, signal = soon()) {
  const lines: string[] = []
  return { ...(await engine.build(source, (line) => lines.push(line), signal)), lines }
}

const list = `RUN ["node", "-e", "console.log('in it: ' + require('fs').readdirSync('/app', { recursive: true }).sort().join(' '))"]`

test('an image is named by its digest, and a second build takes every step from the cache', async () => {
  const source = givenFolder({ Dockerfile: `FROM ${base}\nENV A=${crypto.randomUUID()}\nCOPY . /app\nCMD ["node"]\n` })
  const first = await build(source)
  expect(first).toMatchObject({ image: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), steps: 4, cachedSteps: 0 })
  expect(first.lines).toContain('Step 3/4 : COPY . /app')
  expect(await build(source)).toMatchObject({ image: first.image, steps: 4, cachedSteps: 3 })
  expect((await docker.getImage(`devcloud/${project}/app:latest`).inspect()).Id).toBe(first.image)
})

test('S22: .dockerignore decides what is sent, links are sent as links', async () => {
  const source = givenFolder({
    Dockerfile: `FROM ${base}\nCOPY . /app\n${list}\n`,
    '.dockerignore': 'node_modules\n**/*.log\nsecret\n!secret/public\nDockerfile\n.dockerignore\n',
    'main.js': '',
    'empty/deep/a.log': 'x',
    'node_modules/big/index.js': 'x',
    'secret/key': 'x',
    'secret/public': 'x',
  })
  symlinkSync('/etc/passwd', join(source.directory, 'link'))
  const { lines } = await build(source)
  expect(lines.filter((line) => line.startsWith('in it:'))).toEqual(['in it: empty empty/deep link main.js secret secret/public'])
})

test('a failing step is BUILD_FAILED with its line in the Dockerfile and the last lines', async () => {
  const source = givenFolder({
    Dockerfile: `# syntax=docker/dockerfile:1\nARG A=1\nFROM ${base} AS deps\n\nENV B=1 \\\n  # a comment\n  C=2\nFROM ${base}\nRUN ["node", "-e", \\\n  "console.log('no lock file'); process.exit(3)"]\n`,
  })
  await expect(build(source)).rejects.toMatchObject({
    fault: 'BUILD_FAILED',
    message: expect.stringContaining('at Dockerfile:9: RUN'),
    evidence: expect.arrayContaining(['no lock file', expect.stringContaining('non-zero code: 3')]),
  })
})

const mounted = (program: string) => `RUN --mount=type=cache,target=/cache ["node", "-e", ${JSON.stringify(program)}]`

test('a Dockerfile that needs BuildKit is built by it, with its output, steps and cache', async () => {
  const hello = mounted(`const id = '${crypto.randomUUID()}'; require('fs').writeFileSync('/out', id); console.log('héllo', id)`)
  const source = givenFolder({
    Dockerfile: `FROM ${base} AS a\n${hello}\nFROM ${base}\nCOPY --from=a --chmod=600 /out /x\n`,
  })
  const first = await build(source)
  expect(first).toMatchObject({ image: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), cachedSteps: 0 })
  expect(first.lines.filter((line) => line.startsWith('héllo'))).toHaveLength(1)
  expect(await build(source)).toMatchObject({ image: first.image, steps: first.steps, cachedSteps: 2 })
})

test('a step that fails under BuildKit is told with its line too, and so is an image that cannot be pulled', async () => {
  const fail = mounted(`console.log('no lock file'); process.exit(3)`).replace('target=/cache', 'target=/cache \\\n ')
  await expect(build(givenFolder({ Dockerfile: `FROM ${base}\nENV A=1\n\n${fail}\n` }))).rejects.toMatchObject({
    fault: 'BUILD_FAILED',
    message: expect.stringContaining('at Dockerfile:4: RUN --mount'),
    evidence: expect.arrayContaining(['no lock file', expect.stringContaining('exit code: 3')]),
  })
  const missing = givenFolder({ Dockerfile: `FROM ${base} AS a\nFROM devcloud.invalid/no/such:1\n${mounted('')}\n` })
  await expect(build(missing)).rejects.toMatchObject({
    fault: 'BUILD_FAILED',
    message: 'The image "devcloud.invalid/no/such:1" that "app" is built from could not be pulled at Dockerfile:2.',
  })
  await expect(build(givenFolder({ Dockerfile: `FROM ${base}\n${mounted('')}\nFLY away\n` }))).rejects.toMatchObject({
    message: expect.stringContaining('Dockerfile:3'),
  })
})

test('only what the classic builder cannot do asks for BuildKit', () => {
  for (const line of ['RUN --mount=type=cache,target=/x ls', 'RUN <<EOF\nls\nEOF', 'COPY --link a b', 'COPY --chown=1 --chmod=700 a b'])
    expect([line, needsBuildKit(`FROM a\n${line}\n`)]).toEqual([line, true])
  for (const line of ['# RUN --mount=x', 'RUN echo --mount=x', 'COPY --from=a --chown=1 a b', 'RUN ls \\\n  --mount=x', 'RUN cat << 2'])
    expect([line, needsBuildKit(`# syntax=docker/dockerfile:1\nFROM a\n${line}\n`)]).toEqual([line, false])
})

test('a base image that cannot be pulled is named', async () => {
  const source = givenFolder({ Dockerfile: 'FROM devcloud.invalid/no/such:1\n' })
  await expect(build(source)).rejects.toMatchObject({
    fault: 'BUILD_FAILED',
    message: expect.stringContaining('"devcloud.invalid/no/such:1"'),
    next: 'docker pull devcloud.invalid/no/such:1',
  })
})

test('a Dockerfile that cannot be read is BUILD_FAILED with the line', async () => {
  await expect(build(givenFolder({ Dockerfile: `FROM ${base}\n\nFLY away\n` }))).rejects.toMatchObject({
    fault: 'BUILD_FAILED',
    message: expect.stringContaining('Dockerfile:3'),
  })
  await expect(build(givenFolder({}))).rejects.toMatchObject({ fault: 'BUILD_FAILED' })
})

test('the digest of a source stays when files are only touched, and changes with their bytes; an image is had until it is removed', async () => {
  const source = givenFolder({ Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: '1' })
  const digest = await engine.sourceDigest(source, soon())
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  utimesSync(join(source.directory, 'a'), new Date(0), new Date(0))
  expect(await engine.sourceDigest(source, soon())).toBe(digest)
  writeFileSync(join(source.directory, 'a'), '2')
  expect(await engine.sourceDigest(source, soon())).not.toBe(digest)
  const { image } = await build(source)
  expect(await engine.hasImage(image, soon())).toBe(true)
  await docker.getImage(image).remove({ force: true })
  expect(await engine.hasImage(image, soon())).toBe(false)
})

test('a build ends with its signal', async () => {
  const over = new AbortController()
  const source = givenFolder({
    Dockerfile: `FROM ${base}\nRUN ["node", "-e", "console.log('begun ${crypto.randomUUID()}'); setInterval(() => {}, 1000)"]\n`,
  })
  const reason = new Error('enough')
  const building = engine.build(source, (line) => line.startsWith('begun') && over.abort(reason), over.signal)
  await expect(building).rejects.toBe(reason)
  const runs = () => docker.listContainers({ filters: { status: ['running'] } })
  await expect.poll(async () => (await runs()).filter((info) => info.Command.includes('begun')), { timeout: 10_000 }).toEqual([])
})

test("removing a project leaves another state directory's image of the same name", async () => {
  const source = givenFolder({ Dockerfile: `FROM ${base}\nENV A=${crypto.randomUUID()}\n` })
  const other = await open(mkdtempSync(join(tmpdir(), 'devcloud-build-')))
  const { image } = await build(source)
  expect((await other.build(source, () => {}, soon())).image).toBe(image)
  await other.removeProject(project, soon())
  expect((await docker.getImage(image).inspect()).Id).toBe(image)
  await engine.removeProject(project, soon())
  await expect(docker.getImage(image).inspect()).rejects.toMatchObject({ statusCode: 404 })
})
