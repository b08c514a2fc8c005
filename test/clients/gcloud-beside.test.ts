import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { givenShell, type GivenShell } from './given-shell.ts'
import { hasTool } from './has-tool.ts'

describe.runIf(hasTool('gcloud'))('devcloud run beside gcloud run, on one service', { timeout: 240_000 }, () => {
  let shell: GivenShell
  beforeAll(async () => void (shell = await givenShell()))
  afterAll(async () => await shell[Symbol.asyncDispose]())

  test.each([
    'services list --format=json',
    'services describe guestbook --region=us-central1 --format=json',
    'services describe guestbook --region=us-central1 --format=value(status.url,status.latestReadyRevisionName,spec.template.spec.containers[0].image)',
    'services list --format=csv(metadata.name,status.url)',
    'services list --format=table(metadata.name,status.url.basename():label=HOST,metadata.generation)',
    'revisions list --region=us-central1 --format=value(metadata.name,status.conditions[0].status)',
    'regions list --limit=3',
  ])('prints the same for %s', async (words) => {
    const args = ['run', ...words.split(' ')]
    const theirs = await shell.stdoutOf('gcloud', ...args)
    const ours = await shell.devcloud(...args)
    expect(ours.stdout.trim(), ours.stderr).toBe(theirs)
  })

  test('has the columns of gcloud in its tables', async () => {
    for (const words of ['services list', 'revisions list --region=us-central1']) {
      const [theirs = ''] = (await shell.stdoutOf('gcloud', 'run', ...words.split(' '))).split('\n')
      const [ours = ''] = (await shell.devcloud('run', ...words.split(' '))).stdout.trim().split('\n')
      expect(ours.split(/ {2,}/)).toEqual(theirs.split(/ {2,}/))
    }
  })

  test('gcloud takes what export writes', async () => {
    const { stdout } = await shell.devcloud('run', 'services', 'describe', 'guestbook', '--format=export')
    writeFileSync(join(shell.directory, 'service.yaml'), stdout)
    const replaced = await shell.run('gcloud', 'run', 'services', 'replace', 'service.yaml', '--region=us-central1', '--quiet')
    expect(replaced, replaced.stderr).toMatchObject({ code: 0 })
    const again = await shell.devcloud('run', 'services', 'describe', 'guestbook', '--format=export')
    expect(again.stdout).toBe(stdout)
  })
})
