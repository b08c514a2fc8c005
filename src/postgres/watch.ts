import pg from 'pg'
import type { Home } from './home.ts'

/**
 * Calls `onEnd` once when the server ends, or will take no session; a session of the superuser that asks nothing tells. Sees a server die in a
 * container, in the kernel's out-of-memory killer and by hand alike, without asking Docker.
 * @returns what stops watching
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
  client.on('error', () => {}) // `end` comes after it
  client.on('end', end)
  client.connect().catch(end)
  return () => {
    isOver = true
    void client.end().catch(() => {})
  }
}
