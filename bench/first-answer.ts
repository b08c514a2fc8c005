import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Asks every 20 ms, as a browser that came through https, until there is a 200. @throws Error after a minute, with what was answered last */
export async function firstAnswer(at: { readonly address: string; readonly port: number; readonly host: string }): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const answer = await ask(at)
    if (answer === '200') return
    if (performance.now() > deadline)
      throw new Error(`${at.host} at ${at.address}:${at.port} did not answer 200 within a minute, last: ${answer}`)
    await sleep(20)
  }
}

function ask({ address, port, host }: { readonly address: string; readonly port: number; readonly host: string }): Promise<string> {
  return new Promise((resolve) => {
    const headers = { host, 'x-forwarded-proto': 'https' }
    const request = http.get({ host: address, port, path: '/', headers, agent: false, timeout: 10_000 }, (response) => {
      response.resume().once('end', () => resolve(String(response.statusCode)))
      response.once('error', (error) => resolve(error.message))
    })
    request.once('error', (error) => resolve(error.message))
    request.once('timeout', () => request.destroy(new Error('no answer in 10 s')))
  })
}
