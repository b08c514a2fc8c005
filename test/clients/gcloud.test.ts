import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { givenShell, type GivenShell } from './given-shell.ts'
import { hasTool } from './has-tool.ts'

const hasGcloud = hasTool('gcloud')

describe.runIf(hasGcloud)('gcloud, led by devcloud env alone', { timeout: 180_000 }, () => {
  let shell: GivenShell
  beforeAll(async () => void (shell = await givenShell()))
  afterAll(async () => await shell[Symbol.asyncDispose]())
  const gcloud = (...args: readonly string[]) => shell.stdoutOf('gcloud', ...args)
  const file = (name: string, data: string | Buffer) => {
    writeFileSync(join(shell.directory, name), data)
    return name
  }

  test('makes, reads, lists and deletes secrets', async () => {
    await gcloud('secrets', 'create', 'mine', `--data-file=${file('first', 'hello')}`)
    await gcloud('secrets', 'versions', 'add', 'mine', `--data-file=${file('second', 'world')}`)
    expect(await gcloud('secrets', 'versions', 'access', 'latest', '--secret=mine')).toBe('world')
    expect(await gcloud('secrets', 'versions', 'access', '1', '--secret=mine')).toBe('hello')
    expect(await gcloud('secrets', 'list', '--format=value(name)')).toBe('guestbook-db-password\nguestbook-settings\nmine')
    expect(await gcloud('secrets', 'describe', 'mine', '--format=value(name)')).toMatch(/^projects\/\d+\/secrets\/mine$/)
    await gcloud('secrets', 'delete', 'mine', '--quiet')
    const gone = await shell.run('gcloud', 'secrets', 'describe', 'mine')
    expect(gone.stderr).toMatch(/NOT_FOUND: Secret \[projects\/\d+\/secrets\/mine\] not found/)
  })

  test('makes buckets, copies 20 MB there and back, lists, opens to all, and removes a bucket with what is in it', async () => {
    const bytes = randomBytes(20_000_000)
    await gcloud('storage', 'buckets', 'create', 'gs://gc-one', '--location=europe-west1')
    expect(await gcloud('storage', 'buckets', 'list', '--format=value(name)')).toBe('gc-one\nguestbook-pictures')
    expect(await gcloud('storage', 'buckets', 'describe', 'gs://gc-one', '--format=value(location)')).toBe('EUROPE-WEST1')
    await gcloud('storage', 'cp', file('big', bytes), 'gs://gc-one/big')
    await gcloud('storage', 'cp', file('small', 'small'), 'gs://gc-one/folder/small')
    await gcloud('storage', 'cp', 'gs://gc-one/big', 'back')
    expect(readFileSync(join(shell.directory, 'back')).equals(bytes)).toBe(true)
    expect(await gcloud('storage', 'ls', 'gs://gc-one/**')).toBe('gs://gc-one/big\ngs://gc-one/folder/small')
    expect(await gcloud('storage', 'cat', 'gs://gc-one/folder/small')).toBe('small')
    await gcloud('storage', 'buckets', 'add-iam-policy-binding', 'gs://gc-one', '--member=allUsers', '--role=roles/storage.objectViewer')
    expect(await shell.stdoutOf('curl', '-sS', 'https://storage.googleapis.com/gc-one/folder/small')).toBe('small')
    await gcloud('storage', 'rm', 'gs://gc-one/folder/small')
    await gcloud('storage', 'rm', '-r', 'gs://gc-one')
    await gcloud('storage', 'buckets', 'create', 'gs://gc-two')
    await gcloud('storage', 'buckets', 'delete', 'gs://gc-two')
    expect(await gcloud('storage', 'ls')).toBe('gs://guestbook-pictures/')
  })

  test('lists SQL instances, makes and lists databases and users', async () => {
    const main = '--instance=main'
    expect(await gcloud('sql', 'instances', 'list', '--format=value(name,state)')).toBe('main\tRUNNABLE')
    expect(await gcloud('sql', 'instances', 'describe', 'main', '--format=value(connectionName)')).toBe('guestbook:us-central1:main')
    await gcloud('sql', 'databases', 'create', 'extra', main)
    expect(await gcloud('sql', 'databases', 'list', main, '--format=value(name)')).toBe('extra\nguestbook\npostgres')
    await gcloud('sql', 'users', 'create', 'ann', main, '--password=first')
    await gcloud('sql', 'users', 'set-password', 'ann', main, '--password=second')
    expect(await gcloud('sql', 'users', 'list', main, '--format=value(name)')).toBe('ann\nguestbook\npostgres')
  })

  test('makes service accounts and keys, and tokens in their name', async () => {
    const email = 'robot-1@guestbook.iam.gserviceaccount.com'
    await gcloud('iam', 'service-accounts', 'create', 'robot-1')
    expect(await gcloud('iam', 'service-accounts', 'list', '--format=value(email)')).toContain(email)
    await gcloud('iam', 'service-accounts', 'keys', 'create', 'key.json', `--iam-account=${email}`)
    expect(JSON.parse(readFileSync(join(shell.directory, 'key.json'), 'utf8'))).toMatchObject({ client_email: email })
    const token = await gcloud('auth', 'print-access-token')
    const asked = await shell.stdoutOf('curl', '-sS', `https://oauth2.googleapis.com/tokeninfo?access_token=${token}`)
    expect(JSON.parse(asked)).toMatchObject({ email: 'you@devcloud.local' })
    const identity = ['auth', 'print-identity-token', `--impersonate-service-account=${email}`, '--audiences=https://a', '--include-email']
    expect(claimsOf(await gcloud(...identity))).toMatchObject({ aud: 'https://a', email })
  })

  test('lists the services that devcloud up made', async () => {
    expect(await gcloud('run', 'services', 'list', '--format=value(metadata.name)')).toBe('guestbook')
    expect(await gcloud('run', 'services', 'describe', 'guestbook', '--format=value(status.conditions[0].status)')).toBe('True')
  })

  test('is told at once, by name, what is not emulated', async () => {
    const refused: readonly (readonly [args: string, words: string])[] = [
      ['sql backups create --instance=main', 'sql.backupRuns.insert'],
      ['pubsub topics list', 'pubsub.googleapis.com'],
    ]
    for (const [args, words] of refused) {
      const { code, stderr } = await shell.run('gcloud', ...args.split(' '))
      expect(stderr).toContain(`UNIMPLEMENTED: devcloud does not emulate ${words}.`)
      expect(code).toBe(1)
    }
  })

  test("leaves the developer's own configuration as it was", () => {
    expect(readdirSync(join(shell.home, '.config', 'gcloud'))).toEqual(['application_default_credentials.json'])
  })
})

describe.runIf(hasGcloud)('gcloud, led by its metadata server', { timeout: 180_000 }, () => {
  test('prints identity tokens of the service account', async () => {
    await using shell = await givenShell({ without: ['CLOUDSDK_AUTH_ACCESS_TOKEN_FILE'] })
    const token = await shell.stdoutOf('gcloud', 'auth', 'print-identity-token', '--audiences=https://a')
    expect(claimsOf(token)).toMatchObject({ aud: 'https://a', email: expect.stringContaining('-compute@developer.gserviceaccount.com') })
    expect(await shell.stdoutOf('gcloud', 'secrets', 'list', '--format=value(name)')).toContain('guestbook-settings')
  })
})

describe.runIf(hasGcloud)('gcloud, led by devcloud env --endpoints', { timeout: 180_000 }, () => {
  test('reaches secrets, buckets and SQL without a login', async () => {
    await using shell = await givenShell({ endpoints: true })
    const gcloud = (...args: readonly string[]) => shell.stdoutOf('gcloud', ...args, '--project=guestbook')
    expect(await gcloud('secrets', 'versions', 'access', 'latest', '--secret=guestbook-settings')).toContain('"title"')
    writeFileSync(join(shell.directory, 'a'), 'by endpoint')
    await gcloud('storage', 'cp', 'a', 'gs://guestbook-pictures/a')
    expect(await gcloud('storage', 'cat', 'gs://guestbook-pictures/a')).toBe('by endpoint')
    expect(await gcloud('sql', 'instances', 'list', '--format=value(name)')).toBe('main')
  })
})

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
