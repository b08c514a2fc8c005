import { expect, test } from 'vitest'
import { idleAnnotation, idleLimitMs } from '../../../../src/products/run/instances/idle-limit.ts'

test('an idle instance is kept as long as its service says, else as the daemon is told, else for 5 minutes', () => {
  expect(idleLimitMs({}, {})).toBe(300_000)
  expect(idleLimitMs({}, { DEVCLOUD_IDLE_SECONDS: '900' })).toBe(900_000)
  expect(idleLimitMs({ [idleAnnotation]: '30' }, { DEVCLOUD_IDLE_SECONDS: '900' })).toBe(30_000)
  expect(idleLimitMs({ [idleAnnotation]: 'soon' }, { DEVCLOUD_IDLE_SECONDS: '-1' })).toBe(300_000)
})
