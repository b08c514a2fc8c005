import { expect, test } from 'vitest'
import { rewritePaths } from '../../src/engine/process/rewrite-paths.ts'

const paths = [
  { target: '/cloudsql/p:r:i', path: '/state/s/1' },
  { target: '/secrets/a', path: '/dev/shm/a' },
]

test('a mount is found in a value, plain and as URLs escape it', () => {
  const env = {
    SOCKET: '/cloudsql/p:r:i',
    URL: 'postgres://u:p@/db?host=/cloudsql/p:r:i',
    DJANGO: 'postgres://u:p@//cloudsql/p:r:i/db',
    ESCAPED: 'postgres://u:p@%2Fcloudsql%2Fp%3Ar%3Ai/db',
    FILE: '/secrets/a/key.json',
  }
  expect(rewritePaths(env, paths)).toEqual({
    SOCKET: '/state/s/1',
    URL: 'postgres://u:p@/db?host=/state/s/1',
    DJANGO: 'postgres://u:p@//state/s/1/db',
    ESCAPED: 'postgres://u:p@%2Fstate%2Fs%2F1/db',
    FILE: '/dev/shm/a/key.json',
  })
})

test('a longer name that only begins like a mount stays', () => {
  expect(rewritePaths({ A: '/secrets/abc', B: '/secrets/a-b' }, paths)).toEqual({ A: '/secrets/abc', B: '/secrets/a-b' })
})
