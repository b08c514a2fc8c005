import { expect, test } from 'vitest'
import { readPostgresCompose } from '../../src/postgres/compose-file.ts'
import { readBytes, readDurationMs, readWords } from '../../src/postgres/compose-values.ts'
import { fixedSettings, settingWords, standardCompose, usualSettings } from '../../src/postgres/settings.ts'

const read = (text: string, major = 15) => readPostgresCompose(text, 'compose/postgres.yaml', major, standardCompose())
const service = (lines: string) => `services:\n  postgres:\n    image: postgres:15\n${lines.replaceAll(/^/gm, '    ')}\n`

test("devcloud's own file gives the image of the version, and the settings that the embedded server has too", () => {
  const compose = read(standardCompose(), 16)
  expect(compose.image).toBe('postgres:16')
  expect(compose.command).toEqual(['postgres', ...settingWords({ ...fixedSettings, ...usualSettings })])
  expect(compose.environment).toEqual({ POSTGRES_INITDB_ARGS: '--auth=md5' })
  expect(compose.memoryBytes).toBeUndefined()
  expect(compose.healthcheck.command?.[0]).toBe('pg_isready')
})

test('image, command, environment, healthcheck and mem_limit are followed', () => {
  const compose = read(`
services:
  postgres:
    image: \${REGISTRY:-mirror.example}/postgis:$POSTGRES_VERSION
    command: postgres -c 'work_mem = 8MB' -c "search_path=\\"a b\\""
    environment: { TZ: Europe/Berlin, COST: 5$$, N: 3, POSTGRES_USER: cloudsqladmin }
    mem_limit: 1.5g
    healthcheck: { test: test -e /ready, interval: 1s, timeout: 500ms, retries: 10, start_period: 1m }
`)
  expect(compose).toEqual({
    image: 'mirror.example/postgis:15',
    command: ['postgres', '-c', 'work_mem = 8MB', '-c', 'search_path="a b"'],
    environment: { TZ: 'Europe/Berlin', COST: '5$', N: '3' },
    memoryBytes: 1.5 * 2 ** 30,
    healthcheck: { command: ['/bin/sh', '-c', 'test -e /ready'], timeoutMs: 500, deadlineMs: 70_000 },
  })
})

test('a healthcheck of NONE asks nothing', () => {
  expect(read(service('healthcheck: { test: [NONE] }')).healthcheck.command).toBeUndefined()
})

test.each([
  ['ports: ["5432:5432"]', 'services.postgres.ports'],
  ['privileged: true', 'services.postgres.privileged'],
  ['shm_size: 256m', 'services.postgres.shm_size'],
  ['entrypoint: sh', 'services.postgres.entrypoint'],
  ['healthcheck: { start_interval: 1s }', 'services.postgres.healthcheck.start_interval'],
  ['volumes: ["/:/host"]', 'services.postgres.volumes'],
  ['networks: [host]', 'services.postgres.networks'],
  ['environment: { POSTGRES_USER: root }', 'services.postgres.environment.POSTGRES_USER'],
  ['environment: [PGDATA=/elsewhere]', 'services.postgres.environment.PGDATA'],
  ['environment: [POSTGRES_PASSWORD_FILE=/etc/passwd]', 'services.postgres.environment.POSTGRES_PASSWORD_FILE'],
])('%s is refused by name', (line, key) => {
  expect(() => read(service(line))).toThrow(expect.objectContaining({ code: 'UNIMPLEMENTED', fault: 'COMPOSE_INVALID' }))
  expect(() => read(service(line))).toThrow(`"${key}"`)
})

test('a second service is refused by name', () => {
  expect(() => read('services: {postgres: {image: a}, redis: {image: b}}')).toThrow('"services.redis"')
})

test.each([
  ['image: "postgres:${NAME}"', 'the variable NAME has no value here'],
  ['command: postgres -c "open', 'services.postgres.command'],
  ['environment: [PATH]', 'services.postgres.environment.PATH has no value'],
  ['mem_limit: lots', 'services.postgres.mem_limit "lots"'],
  ['healthcheck: { interval: soon }', 'services.postgres.healthcheck.interval "soon"'],
  ['environment: { A: "${B:?must}" }', 'in a form that devcloud does not read'],
  ['command: {}', 'services.postgres.command'],
])('%s is told as wrong', (line, words) => {
  const text = line.startsWith('image') ? `services:\n  postgres:\n    ${line}\n` : service(line)
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', fault: 'COMPOSE_INVALID' }))
  expect(() => read(text)).toThrow(words)
})

test('amounts and words are read as Compose writes them', () => {
  expect(['64', '64b', '64k', '64kb', '1GB', '1.5m', 'm', '1t'].map(readBytes)).toEqual([
    64,
    64,
    65_536,
    65_536,
    2 ** 30,
    1_572_864,
    undefined,
    undefined,
  ])
  expect(['500ms', '1m30s', '0s', '5', 's'].map(readDurationMs)).toEqual([500, 90_000, 0, undefined, undefined])
  expect(readWords(` a\\ b 'c d'"e f" "" `)).toEqual(['a b', 'c de f', ''])
  expect(readWords('')).toEqual([])
  expect(readWords("a 'b")).toBeUndefined()
})
