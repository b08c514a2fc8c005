import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { ExecStreams } from '../engine.ts'
import { ask } from './ask.ts'
import type { DockerHost } from './docker-host.ts'

/**
 * Runs a command inside container `id`. A command that does not exist gives exit code 126 or 127, as in a shell. When `signal` ends, the streams are
 * cut; Docker cannot end the command itself.
 */
export async function execInContainer(
  host: DockerHost,
  id: string,
  command: readonly string[],
  io: ExecStreams,
  signal: AbortSignal,
): Promise<number> {
  const tty = io.tty ?? false
  const withInput = io.stdin !== undefined
  const exec = await ask(
    host.docker.getContainer(id).exec({
      Cmd: [...command],
      Env: Object.entries(io.env ?? {}).map(([name, value]) => `${name}=${value}`),
      AttachStdin: withInput,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty,
    }),
    signal,
  )
  const socket: Duplex = await ask(exec.start({ hijack: true, stdin: withInput, Tty: tty }), signal)
  const cut = () => socket.destroy()
  signal.addEventListener('abort', cut, { once: true })
  socket.on('error', () => socket.destroy())
  if (io.stdin !== undefined) io.stdin.pipe(socket)
  try {
    const ended = once(socket, 'close')
    for await (const { to, bytes } of output(socket, tty)) {
      const stream = to === 'stderr' ? io.stderr : io.stdout
      if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), ended])
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', cut)
    io.stdin?.unpipe(socket)
    socket.destroy()
  }
  signal.throwIfAborted()
  const { ExitCode } = await ask(exec.inspect(), signal)
  return ExitCode ?? 137
}

/** Reads the output. A terminal's bytes come as they are; without a terminal Docker frames them: type, three zeros, length, bytes. */
async function* output(socket: Duplex, tty: boolean): AsyncIterable<{ readonly to: 'stdout' | 'stderr'; readonly bytes: Buffer }> {
  let rest = Buffer.alloc(0)
  for await (const chunk of socket) {
    if (tty) {
      yield { to: 'stdout', bytes: chunk as Buffer }
      continue
    }
    rest = Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
      const end = 8 + rest.readUInt32BE(4)
      yield { to: rest[0] === 2 ? 'stderr' : 'stdout', bytes: rest.subarray(8, end) }
      rest = rest.subarray(end)
    }
  }
}
