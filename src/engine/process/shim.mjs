// The parent of an application under the process engine, and the leader of its process group. It outlives the daemon: it writes what the
// application prints to a log, a JSON line each with its time, and the exit code to a file, so that a later daemon finds both.
// Plain JavaScript: it starts as it is in every package.
// stdin: one JSON object { name, command, cwd, env, logPath, exitPath }, then its end. An empty stdin is a daemon that died: nothing starts.
import { spawn } from 'node:child_process'
import { openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'

/** Characters; longer lines come in pieces. */
const lineLimit = 256 * 1024
/** How long what the application left behind may hold its output open when it ended by itself. */
const lingerMs = 500

const given = readFileSync(0, 'utf8')
if (given === '') process.exit(0)
const spec = JSON.parse(given)
process.title = `devcloud-shim ${spec.name}`

let isStopping = false
let exitCode
const log = openSync(spec.logPath, 'a', 0o600)
// Signals of the group reach the application too; the shim stays until it ended.
process.on('SIGTERM', () => (isStopping = true))
for (const name of ['SIGINT', 'SIGHUP']) process.on(name, () => {})

const child = spawn(spec.command[0], spec.command.slice(1), { cwd: spec.cwd, env: spec.env, stdio: ['ignore', 'pipe', 'pipe'] })
child.on('error', (error) => {
  write('stderr', `cannot start ${spec.command[0]}: ${error.message}`)
  end(127)
})
for (const stream of ['stdout', 'stderr']) follow(child[stream], stream)
child.on('exit', (code, signal) => {
  exitCode = code ?? 128 + ({ SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11 }[signal] ?? 15)
  // `npm start` may go first on SIGTERM, with the server behind it still at work: then the group has until the daemon's SIGKILL.
  if (!isStopping) setTimeout(() => end(exitCode), lingerMs)
})
child.on('close', () => {
  if (exitCode !== undefined) end(exitCode)
})

function follow(readable, stream) {
  let rest = ''
  readable.setEncoding('utf8')
  readable.on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) write(stream, line)
    if (rest.length < lineLimit) return
    write(stream, rest)
    rest = ''
  })
  readable.on('end', () => {
    if (rest !== '') write(stream, rest)
    rest = ''
  })
}

function write(stream, line) {
  const text = line.replace(/\r$/, '')
  for (let at = 0; at === 0 || at < text.length; at += lineLimit) {
    writeSync(log, `${JSON.stringify({ timeMs: Date.now(), stream, text: text.slice(at, at + lineLimit) })}\n`)
  }
}

/** Keeps the exit code, then ends the whole group, this process too: nothing of an application outlives its first process. */
function end(code) {
  writeFileSync(`${spec.exitPath}.new`, String(code), { mode: 0o600 })
  renameSync(`${spec.exitPath}.new`, spec.exitPath)
  process.kill(-process.pid, 'SIGKILL')
}
