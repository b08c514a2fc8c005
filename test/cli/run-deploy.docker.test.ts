import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ask, givenCli } from './given-cli.ts'

const hello = fileURLToPath(new URL('hello', import.meta.url))

test(
  'run deploy builds a Dockerfile, runs it beside a sidecar, and keeps the old revision when the new one fails',
  { timeout: 300_000 },
  async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'deploy-')))
    cpSync(hello, folder, { recursive: true })
    writeFileSync(join(folder, 'Dockerfile'), 'FROM node:24-slim\nCOPY . /app\nWORKDIR /app\nCMD ["node", "server.js"]\n')
    await using cli = givenCli()
    const run = (...args: readonly string[]) => cli.run(['run', ...args], { directory: folder })
    const project = ['--project=demo-docker', '--engine=docker']
    const side = [
      '--container=side',
      '--image=node:24-slim',
      '--command=node',
      '--args=^;^-e;process.on("SIGTERM",()=>process.exit()),setInterval(()=>{},1000)',
    ]
    const first = await run('deploy', 'hello', ...project, '--allow-unauthenticated', '--quiet', '--container=app', '--source=.', '--port=8080', '--set-env-vars=GREETING=hi', ...side) // prettier-ignore
    expect(first, first.stderr).toMatchObject({ code: 0 })
    expect(first.stderr).toMatch(/build hello[\s\S]*service hello/)
    const url = first.stdout.split('\n')[0] ?? ''
    expect(JSON.parse((await ask(url)).body)).toMatchObject({ greeting: 'hi', service: 'hello' })
    const names = await run('services', 'describe', 'hello', '--format=value(spec.template.spec.containers[].name.list())')
    expect(names.stdout.trim()).toBe('app,side')

    const second = await run('services', 'update', 'hello', '--container=app', '--update-env-vars=BREAK=1')
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('Set SECRET_KEY first')
    expect(JSON.parse((await ask(url)).body)).toMatchObject({ greeting: 'hi' })
    rmSync(folder, { recursive: true, force: true })
  },
)
