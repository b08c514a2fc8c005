import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectFolder } from '../../config/project-folder.ts'
import { givenCli } from '../given-cli.ts'

test('clean in a folder without a project removes nothing, though there is one project alone', async () => {
  await using folder = await projectFolder({ 'devcloud.yaml': 'buckets: [clean-of-a-test]\n' }, 'kept-app')
  await using cli = givenCli()
  const elsewhere = mkdtempSync(join(tmpdir(), 'dc-elsewhere-'))
  expect(await cli.run(['up', '-d', '--engine', 'process'], { directory: folder.path })).toMatchObject({ code: 0 })
  const refused = await cli.run(['clean', '--yes'], { directory: elsewhere })
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/NO_PROJECT[^]*kept-app[^]*--project/) })
  expect((await cli.run(['status'])).stdout).toMatch(/bucket +clean-of-a-test/)
  expect(await cli.run(['clean', '--yes', '--project', 'kept-app'], { directory: elsewhere })).toMatchObject({ code: 0 })
  rmSync(elsewhere, { recursive: true })
}, 60_000)
