import { expect, test } from 'vitest'
import { localUser, readCaller } from '../../src/api/caller.ts'

const callers: Readonly<Record<string, string>> = { robot: 'robot@p', user: localUser.email }
const tokens = { read: (token: string) => (callers[token] === undefined ? undefined : { email: callers[token] }) }

test.each<readonly [token: string | undefined, isLocalUser: boolean, isPage: boolean, email: string | undefined]>([
  [undefined, false, false, undefined],
  ['foreign', false, false, undefined],
  ['robot', false, false, 'robot@p'],
  ['user', false, false, localUser.email],
  [undefined, true, false, localUser.email],
  ['foreign', true, false, localUser.email], // tools that take an endpoint send what they have
  ['robot', true, false, 'robot@p'],
  [undefined, true, true, undefined],
  ['foreign', true, true, undefined],
  ['user', true, true, undefined], // a page never has the local user's authority, whatever token it got hold of
  ['robot', true, true, 'robot@p'],
])('a token %s, by a door of the local user: %s, from a page: %s, is %s', (token, isLocalUser, isPage, email) => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  expect(readCaller(headers, { isLocalUser, isPage }, tokens)?.email).toBe(email)
})
