import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { givenShell } from './given-shell.ts'

const program = fileURLToPath(new URL('programs/node-clients.ts', import.meta.url))

test("Google's Node clients, as an application makes them, are led by devcloud env alone", async () => {
  await using shell = await givenShell()
  expect(JSON.parse(await shell.stdoutOf(process.execPath, program))).toEqual({
    content: 'simple',
    files: [
      ['a b', '6'],
      ['big', '3000000'],
    ],
    signed: 'simple',
    project: 'guestbook',
    secret: expect.stringContaining('"title"') as string,
    services: ['projects/guestbook/locations/us-central1/services/guestbook'],
    uri: expect.stringMatching(/^https:\/\/guestbook-.*\.run\.app$/) as string,
    email: expect.stringMatching(/^\d+-compute@developer\.gserviceaccount\.com$/) as string,
  })
})

test("a host of Google's that devcloud does not emulate fails closed by its name, in fetch and in curl", async () => {
  await using shell = await givenShell()
  const url = 'https://bigquery.googleapis.com/bigquery/v2/projects/guestbook/datasets'
  const script = `const a = await fetch('${url}'); console.log(a.status, (await a.json()).error.message)`
  expect(await shell.stdoutOf(process.execPath, '-e', script)).toBe('400 devcloud does not emulate bigquery.googleapis.com.')
  expect(await shell.stdoutOf('curl', '-sS', url)).toContain('"devcloud does not emulate bigquery.googleapis.com."')
})
