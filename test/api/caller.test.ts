import { expect, test } from 'vitest'
import { localUser, readCaller } from '../../src/api/caller.ts'

const tokens = { read: (token: string) => (token === 'good' ? { email: 'robot@p' } : undefined) }

test.each<readonly [host: string, headers: Readonly<Record<string, string>>, email: string | undefined]>([
  ['run.googleapis.com', {}, undefined],
  ['run.googleapis.com', { authorization: 'Bearer good' }, 'robot@p'],
  ['localhost:9000', {}, localUser.email],
  ['localhost:9000', { authorization: 'Bearer foreign' }, localUser.email],
  ['run.localhost:9000', {}, localUser.email],
  ['us-central1-run.localhost:9000', {}, localUser.email],
  ['us-central1-run.localhost:9000', { origin: 'http://evil.test' }, undefined],
  ['storage.localhost:9000', {}, undefined],
  ['evil-localhost:9000', {}, undefined],
])('who asks %s with %o is %s', (host, headers, email) => {
  expect(readCaller(headers, host, tokens)?.email).toBe(email)
})
