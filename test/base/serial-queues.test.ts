import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SerialQueues } from '../../src/base/serial-queues.ts'

test('work of one key runs one after another in the order of asking, after failed work too; other keys do not wait', async () => {
  const queues = new SerialQueues()
  const log: string[] = []
  const work =
    (name: string, fails = false) =>
    async () => {
      log.push(`${name} begins`)
      await sleep(5)
      log.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    }
  const outcomes = Promise.allSettled([
    queues.run('k', work('one', true)),
    queues.run('k', work('two')),
    queues.run('other', work('three')),
  ])
  await queues.settled('k')
  expect(log.filter((line) => !line.startsWith('three'))).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  expect(log.indexOf('three begins')).toBeLessThan(log.indexOf('one ends'))
  expect(await outcomes).toEqual([
    { status: 'rejected', reason: new Error('one') },
    { status: 'fulfilled', value: 'two' },
    { status: 'fulfilled', value: 'three' },
  ])
})

test('settled waits for what was asked so far, under one key or all, and never rejects', async () => {
  const queues = new SerialQueues()
  const over: string[] = []
  queues.run('a', () => sleep(5).then(() => Promise.reject(new Error('a')))).catch(() => over.push('a'))
  void queues.run('b', () => sleep(20)).then(() => over.push('b'))
  await queues.settled('a')
  expect(over).toEqual(['a'])
  await queues.settled()
  expect(over).toEqual(['a', 'b'])
  await queues.settled('nobody asked')
})
