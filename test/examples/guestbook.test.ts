import { expect, test } from 'vitest'
import { ask, givenCli, type Answer, type GivenCli } from '../cli/given-cli.ts'
import { copyExample } from './copy-example.ts'

async function upOn(cli: GivenCli, directory: string): Promise<string> {
  const { code, stdout, stderr } = await cli.run(['up', '--engine', 'process'], { directory })
  expect(stderr).toContain('service guestbook')
  expect(code).toBe(0)
  const url = /http:\/\/guestbook\.localhost(:\d+)?/.exec(stdout)?.[0]
  expect(stdout).toMatch(/GET http:\S+ 200 in \d+ ms/)
  return url ?? ''
}

/** Signs the book as a browser's form does. */
function sign(url: string, name: string, picture?: Buffer): Promise<Answer> {
  const field = (head: string, data: Buffer | string) => [`--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n`, data, '\r\n']
  const file = picture === undefined ? [] : field('name="picture"; filename="p.png"\r\nContent-Type: image/png', picture)
  const parts = [...field('name="name"', name), ...field('name="message"', 'Hello'), ...file, '--x--\r\n']
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return ask(`${url}/entries`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': body.length },
    body,
  })
}

test('guestbook runs as processes: rows in Postgres, pictures in the bucket, settings in Secret Manager; kill -9 loses nothing', async () => {
  const directory = copyExample('guestbook')
  await using cli = givenCli()
  const url = await upOn(cli, directory)
  const picture = Buffer.from('89504e470d0a1a0a', 'hex')

  const signed = await sign(url, 'Ann', picture)
  expect(signed).toMatchObject({ status: 303, headers: { location: `${url}/` } })
  const page = await ask(`${url}/`)
  expect(page.body).toContain('Sign here, with a picture if you like.')
  const shown = /src="(\/pictures\/[^"]+)"/.exec(page.body)?.[1] ?? ''
  expect((await ask(url + shown)).headers['content-type']).toBe('image/png')

  const acknowledged: string[] = []
  const over = new AbortController()
  const loop = (async () => {
    for (let n = 0; !over.signal.aborted; n += 1) {
      const answer = await sign(url, `visitor-${n}`, picture).catch(() => undefined)
      if (answer?.status === 303) acknowledged.push(`visitor-${n}`)
    }
  })()
  const pid = await cli.daemonPid()
  while (acknowledged.length < 5) await new Promise((resolve) => setTimeout(resolve, 20))
  process.kill(pid, 'SIGKILL')
  over.abort()
  await loop

  const again = await upOn(cli, directory)
  expect(again).toBe(url)
  expect(await cli.daemonPid()).not.toBe(pid)
  const { body } = await ask(`${url}/`)
  for (const name of acknowledged.slice(-40)) expect(body).toContain(`<strong>${name}</strong>`)
  for (const [, path] of body.matchAll(/src="(\/pictures\/[^"]+)"/g)) {
    expect((await ask(url + String(path))).status).toBe(200)
  }
})

test('a second up finds everything running; down stops it, keeps the data, and up brings it back', async () => {
  const directory = copyExample('guestbook')
  await using cli = givenCli()
  const url = await upOn(cli, directory)
  await sign(url, 'Ann')

  const second = await cli.run(['up', '--engine', 'process'], { directory })
  expect(second.stdout).toContain('(everything was still running)')
  expect((await cli.run(['down'], { directory })).code).toBe(0)
  expect((await ask(`${url}/`)).status).toBe(404)
  expect((await cli.run(['status'], { directory })).stdout).toMatch(/guestbook +down/)
  await upOn(cli, directory)
  expect((await ask(`${url}/`)).body).toContain('<strong>Ann</strong>')
})

test('logs, exec and run reach the service, and hand its exit code on', async () => {
  const directory = copyExample('guestbook')
  await using cli = givenCli()
  await upOn(cli, directory)
  expect((await cli.run(['logs'], { directory })).stdout).toMatch(/guestbook {2}The guestbook is open\.[\s\S]*GET {2}200 {2}\/ /)
  const inside = await cli.run(['exec', '--', 'sh', '-c', 'echo $K_SERVICE; exit 7'], { directory })
  expect(inside).toMatchObject({ code: 7, stdout: 'guestbook\n' })
  const once = await cli.run(['run', 'guestbook', '--', 'sh', '-c', 'echo $DB_NAME; exit 3'], { directory })
  expect(once).toMatchObject({ code: 3, stdout: 'guestbook\n' })
})
