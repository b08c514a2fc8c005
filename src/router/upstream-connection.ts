import net from 'node:net'
import { sharedReads } from './shared-reads.ts'
import type { Address } from './upstream.ts'

/** Who reads what an instance answers. */
export interface UpstreamReader {
  /** @param data of `sharedReads` */
  onData(data: Buffer): void
  onDrain(): void
  /** The connection is over; `error` when it broke. */
  onEnd(error: Error | undefined): void
}

/** One connection to an instance, used by one exchange at a time. */
export class UpstreamConnection {
  readonly socket: net.Socket
  /** True once an exchange has ended well on it: it may then have been closed by the instance without our knowing. */
  reused = false
  /** Ticks at which it began to wait for its next request. */
  restingSince = 0
  #reader: UpstreamReader | undefined

  constructor(address: Address, onIdleEnd: (connection: UpstreamConnection) => void) {
    const onread = sharedReads((data) => {
      if (this.#reader === undefined) this.socket.destroy() // bytes that nobody asked for: never a later request's answer
      else this.#reader.onData(data)
    })
    this.socket = net.connect({ host: address.host, port: address.port, noDelay: true, onread })
    this.socket.on('drain', () => this.#reader?.onDrain())
    this.socket.on('end', () => this.#over(undefined, onIdleEnd))
    this.socket.on('error', (error) => this.#over(error, onIdleEnd))
    this.socket.on('close', () => this.#over(undefined, onIdleEnd))
  }

  attach(reader: UpstreamReader): void {
    this.#reader = reader
  }

  detach(): void {
    this.#reader = undefined
  }

  #over(error: Error | undefined, onIdleEnd: (connection: UpstreamConnection) => void): void {
    const reader = this.#reader
    this.#reader = undefined
    if (reader === undefined) onIdleEnd(this)
    else reader.onEnd(error)
    this.socket.destroy()
  }
}

/** Connections to instances that wait for their next request, by address; the one used last goes first. */
export class ConnectionPool {
  readonly #idle = new Map<string, UpstreamConnection[]>()
  readonly #maxIdle: number

  constructor(maxIdlePerAddress: number) {
    this.#maxIdle = maxIdlePerAddress
  }

  /**
   * @param fresh never one that was used before: for the second try
   * @param maxRestMs nor one that has waited longer than this
   */
  take(address: Address, fresh: boolean, maxRestMs = Infinity): UpstreamConnection {
    const key = keyOf(address)
    const known = fresh ? undefined : this.#idle.get(key)?.pop()
    if (known !== undefined) {
      if (maxRestMs === Infinity || performance.now() - known.restingSince <= maxRestMs) return known
      this.give(address, known, known.restingSince)
    }
    return new UpstreamConnection(address, (ended) => {
      const idle = this.#idle.get(key)
      const at = idle?.indexOf(ended) ?? -1
      if (at !== -1) idle?.splice(at, 1)
      if (idle?.length === 0) this.#idle.delete(key)
    })
  }

  give(address: Address, connection: UpstreamConnection, restingSince = performance.now()): void {
    const key = keyOf(address)
    let idle = this.#idle.get(key)
    if (idle === undefined) this.#idle.set(key, (idle = []))
    if (idle.length >= this.#maxIdle || connection.socket.destroyed) {
      connection.socket.destroy()
      return
    }
    connection.detach()
    connection.reused = true
    connection.restingSince = restingSince
    connection.socket.resume()
    idle.push(connection)
  }

  close(): void {
    const all = [...this.#idle.values()].flat()
    this.#idle.clear()
    for (const connection of all) connection.socket.destroy()
  }
}

const keys = new WeakMap<Address, string>()

/** `127.0.0.1:8080`, made once for each address of an instance. */
function keyOf(address: Address): string {
  let key = keys.get(address)
  if (key === undefined) keys.set(address, (key = `${address.host}:${address.port}`))
  return key
}
