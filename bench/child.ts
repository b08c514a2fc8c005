import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own. Disposed, it is ended. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  /** Further ports that a program of ours printed. */
  readonly morePorts: readonly number[]
}

/** Starts one of our own programs, which prints its ports, one a line, in one write. */
export async function startProgram(file: string, args: readonly string[] = []): Promise<Child> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [first] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown]
  const [port = 0, ...morePorts] = String(first).trim().split('\n').map(Number)
  if (!Buffer.isBuffer(first) || !(port > 0)) throw new Error(`${file} did not start.`)
  return toChild(child, port, morePorts)
}

/** Starts a command that will listen on `port` of 127.0.0.1. */
export async function startCommand(command: string, args: readonly string[], port: number, env?: Record<string, string>): Promise<Child> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(env !== undefined && { env: { ...process.env, ...env } }),
  })
  await once(child, 'spawn')
  for (let tries = 0; tries < 200; tries += 1) {
    if (await connects(port)) return toChild(child, port)
    await sleep(25)
  }
  child.kill('SIGKILL')
  throw new Error(`${command} does not listen on port ${port}.`)
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function toChild(child: ChildProcess, port: number, morePorts: readonly number[] = []): Child {
  return {
    pid: child.pid ?? 0,
    port,
    morePorts,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
