import net from 'node:net'
import { socketPath, stateDirectory } from '../base/paths.ts'
import type { Health } from '../daemon/loop-watcher.ts'

/** The health of the daemon's main thread, from the thread that watches it. Undefined without a daemon. */
export function readHealth(): Promise<Health | undefined> {
  return new Promise((resolve) => {
    let text = ''
    net
      .connect({ path: socketPath(stateDirectory(), 'health.sock') })
      .setEncoding('utf8')
      .setTimeout(1000, function (this: net.Socket) {
        this.destroy()
      })
      .on('data', (piece: string) => (text += piece))
      .once('error', () => resolve(undefined))
      .once('close', () => resolve(text === '' ? undefined : (JSON.parse(text) as Health)))
  })
}
