import { expect, test } from 'vitest'
import { waitForOperation } from '../../src/api/wait-for-operation.ts'

const name = 'projects/p/locations/l/operations/o'

test('an operation is asked for by its name until it is over; one that is over at once is not asked for', async () => {
  const answers = [{ name }, { name, done: true, response: { uri: 'u' } }]
  const asked: string[] = []
  const wait = async (told: string) => {
    asked.push(told)
    return answers.shift() ?? {}
  }
  expect(await waitForOperation({ name }, wait)).toEqual({ uri: 'u' })
  expect(asked).toEqual([name, name])
  expect(await waitForOperation({ name, done: true, response: { uri: 'v' } }, wait)).toEqual({ uri: 'v' })
  expect(asked).toHaveLength(2)
})

test('an operation that failed throws its error, with the code and the words of its status', async () => {
  const failed = { name, done: true, error: { code: 9, message: 'no room' } }
  await expect(waitForOperation({ name }, async () => failed)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: 'no room' })
})
