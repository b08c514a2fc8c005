import pg from 'pg'
import type { Home } from './home.ts'

/**
 * Calls `onEnd` once when the server ends or takes no session. An idle session of the superuser notices the end, whether a container, the kernel's
 * out-of-memory killer or a person ended the server; Docker is not asked.
 * @returns a function that stops the watch
 */
export function watchServer(home: Home, sockets: string, onEnd: () => void): () => void {
  const client = new pg.Client({
    host: sockets,
    port: 5432,
    user: 'cloudsqladmin',
    password: home.adminPassword,
    database: 'postgres', // a session in template1 would keep others from copying it
    application_name: 'devcloud watches',
  })
  let isOver = false
  const end = () => {
    if (isOver) return
    isOver = true
    onEnd()
  }
  client.on('error', () => {}) // the event `end` follows
  client.on('end', end)
  client.connect().catch(end)
  return () => {
    isOver = true
    void client.end().catch(() => {})
  }
}
