import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { givenShell } from './given-shell.ts'
import { pythonWithClients } from './given-python.ts'

const program = fileURLToPath(new URL('programs/python_clients.py', import.meta.url))
const jobProgram = fileURLToPath(new URL('programs/python_job.py', import.meta.url))
const python = pythonWithClients() ?? ''

describe.runIf(python !== '')("Google's Python clients", { timeout: 180_000 }, () => {
  test('are led by devcloud env alone, over REST and gRPC, with the credentials of the metadata server', async () => {
    await using shell = await givenShell()
    const secret = expect.stringContaining('"title"') as string
    expect(JSON.parse(await shell.stdoutOf(python, program))).toEqual({
      credentials: 'google.auth.compute_engine.credentials',
      project: 'guestbook',
      content: 'simple',
      files: [
        ['big', 3_000_000],
        ['ä b', 6],
      ],
      secrets: [secret, secret],
      email: expect.stringMatching(/^\d+-compute@developer\.gserviceaccount\.com$/) as string,
    })
  })

  test('make a job of a service, run it and wait for its end, and are told why another run failed', async () => {
    await using shell = await givenShell()
    expect(JSON.parse(await shell.stdoutOf(python, jobProgram))).toEqual({
      job: 'projects/guestbook/locations/us-central1/jobs/by-python',
      succeeded: 2,
      tasks: [0, 1],
      completed: true,
      failure: expect.stringMatching(/^Task by-python-[a-z0-9]{5}-task[01] failed with exit code: 3/) as string,
      executions: 2,
    })
  })

  test('store and read by STORAGE_EMULATOR_HOST alone', async () => {
    await using shell = await givenShell({ endpoints: true })
    const lines = [
      'from google.cloud import storage',
      "bucket = storage.Client(project='guestbook').bucket('guestbook-pictures')",
      "bucket.blob('a/b').upload_from_string('by endpoint')",
      "print(bucket.blob('a/b').download_as_text(), [blob.name for blob in bucket.list_blobs()])",
    ]
    expect(await shell.stdoutOf(python, '-c', lines.join('\n'))).toBe("by endpoint ['a/b']")
  })
})
