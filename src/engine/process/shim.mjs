// The parent of an application under the process engine. It outlives the daemon: it writes what the application prints to a log, line by line
// with its time, and the exit code to a file, so that a later daemon finds both. Plain JavaScript: it starts in every package.
import { spawn } from 'node:child_process'
import { openSync, readFileSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'

/** Pieces of a line are cut here. */
const lineLimit = 256 * 1024

const [specPath] = process.argv.slice(2)
const spec = JSON.parse(readFileSync(specPath, 'utf8')) // { command, cwd, env, logPath, exitPath }
unlinkSync(specPath) // it holds secrets

const log = openSync(spec.logPath, 'a', 0o600)
const child = spawn(spec.command[0], spec.command.slice(1), { cwd: spec.cwd, env: spec.env, stdio: ['ignore', 'pipe', 'pipe'] })
process.title = `devcloud-shim ${spec.name}`
for (const stream of ['stdout', 'stderr']) follow(child[stream], stream)
// signals of the group reach the application too; the shim waits for it
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {})
child.on('error', (error) => {
  write('stderr', `cannot start ${spec.command[0]}: ${error.message}`)
  end(127)
})
child.on('close', (code, signal) => end(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)))

function follow(readable, stream) {
  let rest = ''
  readable.setEncoding('utf8')
  readable.on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) write(stream, line)
    if (rest.length > lineLimit) {
      write(stream, rest)
      rest = ''
    }
  })
  readable.on('end', () => {
    if (rest !== '') write(stream, rest)
  })
}

function write(stream, text) {
  for (let at = 0; at === 0 || at < text.length; at += lineLimit) {
    writeSync(log, `${JSON.stringify({ timeMs: Date.now(), stream, text: text.slice(at, at + lineLimit).replace(/\r$/, '') })}\n`)
  }
}

function end(code) {
  writeFileSync(`${spec.exitPath}.new`, String(code), { mode: 0o600 })
  renameSync(`${spec.exitPath}.new`, spec.exitPath)
  process.exit(0)
}
