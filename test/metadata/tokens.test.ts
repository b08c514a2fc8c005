import { sign } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openTokens } from '../../src/metadata/tokens.ts'
import { openState } from '../../src/state/state.ts'
import { givenState } from '../api/given-api.ts'
import { account, givenClock } from './given-metadata.ts'

test('tokens outlive a restart, those that were revoked stay so, and the keys are for their owner alone', async () => {
  const first = givenState()
  const before = await openTokens({ state: first, clock: systemClock })
  const { token } = before.accessToken(account)
  const revoked = before.accessToken(account).token
  const refresh = before.refreshToken(account)
  expect(await before.revoke(revoked)).toBe(true)
  await first[Symbol.asyncDispose]()
  expect(statSync(join(first.directory, 'tokens.json')).mode & 0o777).toBe(0o600)
  await using second = openState(first.directory, [])
  const after = await openTokens({ state: second, clock: systemClock })
  expect(after.read(token)).toEqual({ email: account })
  expect(after.read(revoked)).toBeUndefined()
  expect(after.inspect(refresh)).toMatchObject({ kind: 'refresh', email: account })
  expect(after.jwks()).toEqual(before.jwks())
})

test('an access token ends at its time; a changed one, a foreign one and a refresh token are no bearer tokens', async () => {
  const clock = givenClock()
  await using state = givenState()
  const tokens = await openTokens({ state, clock })
  const { token, expiresMs } = tokens.accessToken(account)
  expect(expiresMs - clock.nowMs()).toBe(3_599_000)
  expect(token).not.toContain(Buffer.from(account).toString('base64url').slice(0, 12))
  const changed = token.slice(0, 20) + (token[20] === 'A' ? 'B' : 'A') + token.slice(21)
  for (const bad of [changed, 'ya29.', 'ya29.abc', '', 'garbage', tokens.refreshToken(account), 'a.b.c']) {
    expect(tokens.read(bad)).toBeUndefined()
  }
  clock.advance(3_598_999)
  expect(tokens.read(token)).toEqual({ email: account })
  clock.advance(1)
  expect(tokens.read(token)).toBeUndefined()
})

test('sql traps 35, 36: a JWT that a service account signed itself is a token, until its key is deleted; with a wrong key it is none', async () => {
  const clock = givenClock()
  await using state = givenState()
  const tokens = await openTokens({ state, clock })
  const { key, privateKey } = await tokens.accountKeys.make(account)
  const other = await tokens.accountKeys.make('other@demo.iam.gserviceaccount.com')
  const now = Math.floor(clock.nowMs() / 1000)
  const claims = { iss: account, sub: account, aud: 'https://storage.googleapis.com/', iat: now, exp: now + 3600 }
  const good = selfSigned({ alg: 'RS256', kid: key.id }, claims, privateKey)
  expect(tokens.read(good)).toEqual({ email: account })
  expect(tokens.read(selfSigned({ alg: 'RS256', kid: key.id }, claims, other.privateKey))).toBeUndefined()
  expect(tokens.read(selfSigned({ alg: 'RS256', kid: other.key.id }, claims, other.privateKey))).toBeUndefined()
  expect(tokens.read(selfSigned({ alg: 'none', kid: key.id }, claims, privateKey))).toBeUndefined()
  expect(tokens.read(selfSigned({ alg: 'RS256', kid: key.id }, { ...claims, exp: now + 90_000 }, privateKey))).toBeUndefined()
  expect(tokens.read(selfSigned({ alg: 'RS256' }, claims, privateKey))).toEqual({ email: account })
  await tokens.suspend(account, true)
  expect(tokens.read(good)).toBeUndefined()
  expect(tokens.read(tokens.accessToken(account).token)).toBeUndefined()
  await tokens.suspend(account, false)
  await tokens.accountKeys.put({ ...key, disabled: true })
  expect(tokens.read(good)).toBeUndefined()
  await tokens.accountKeys.put(key)
  expect(tokens.read(good)).toEqual({ email: account })
  await tokens.accountKeys.delete(account, key.id)
  expect(tokens.read(good)).toBeUndefined()
})

test('the system key of an account is made once, also for two who ask at the same time', async () => {
  await using state = givenState()
  const { accountKeys } = await openTokens({ state, clock: systemClock })
  const [one, two] = await Promise.all([accountKeys.system(account), accountKeys.system(account)])
  expect(one.id).toBe(two.id)
  expect((await accountKeys.system(account)).id).toBe(one.id)
  expect(accountKeys.list(account)).toHaveLength(1)
  expect(accountKeys.list(account)[0]).not.toHaveProperty('privateKey')
})

function selfSigned(header: object, claims: object, privateKey: string): string {
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`
}
