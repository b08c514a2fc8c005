import { styleText } from 'node:util'
import { CloudError, messageOf } from '../base/cloud-error.ts'
import { printable } from './printable.ts'
import type { LogEvent, UpEvent, WireError } from '../daemon/control-protocol.ts'

/** Prints text for people, or JSON for programs. Results go to stdout, progress and errors to stderr. */
export interface Output {
  /** Prints one value: as JSON with `--json`, else as `text()`. */
  result(value: unknown, text: () => string): void
  /** Prints one event of `up`, `down` or `clean`. */
  step(event: UpEvent): void
  log(event: LogEvent): void
  note(text: string): void
  fail(error: unknown): void
}

type Colour = Parameters<typeof styleText>[0]

const glyphs = /utf-?8/i.test(process.env['LC_ALL'] ?? process.env['LC_CTYPE'] ?? process.env['LANG'] ?? 'C.UTF-8')
  ? { done: '✔', failed: '✗', warning: '⚠', next: '→', bar: '│', dot: '·' }
  : { done: '+', failed: 'x', warning: '!', next: '->', bar: '|', dot: '-' }

/** Opens the output. Colours depend on NO_COLOR, FORCE_COLOR and on whether the stream is a terminal, as `styleText` decides. */
export function openOutput(options: { readonly json?: boolean | undefined; readonly verbose?: boolean | undefined }): Output {
  const json = options.json === true
  const showLines = options.verbose === true || process.stderr.isTTY === true
  const err = (colour: Colour, text: string) => styleText(colour, text, { stream: process.stderr })
  const progress = (text: string) => void process.stderr.write(`${text}\n`)
  const print = (text: string) => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  return {
    result: (value, text) => print(json ? JSON.stringify(value) : text()),
    step(event) {
      if (json) return print(JSON.stringify(event))
      if (event.kind === 'plan') return print(event.text)
      if (event.kind === 'line') return showLines ? progress(`    ${err('dim', `${glyphs.bar} ${printable(event.text)}`)}`) : undefined
      if (event.kind !== 'step' || event.state === 'started') return
      const mark = { done: err('green', glyphs.done), failed: err('red', glyphs.failed), note: err('yellow', glyphs.warning) }[event.state]
      const time = event.ms === undefined ? '' : `${(event.ms / 1000).toFixed(1)}s`
      progress(`  ${mark} ${event.name.padEnd(22)} ${(event.detail ?? '').padEnd(44)} ${time}`.trimEnd())
    },
    log: (event) => print(json ? JSON.stringify(event) : logLine(event)),
    note: (text) => (json ? undefined : progress(text)),
    fail(error) {
      const told = toWire(error)
      if (json) return print(JSON.stringify({ kind: 'error', error: told }))
      progress(`${err('red', glyphs.failed)} ${err('bold', told.fault)}  ${printable(told.message)}`)
      for (const line of told.evidence) progress(`  ${err('dim', printable(line))}`)
      if (told.next !== '') progress(`  ${glyphs.next} ${printable(told.next)}`)
    },
  }
}

function toWire(error: unknown): WireError {
  if (!(error instanceof CloudError)) {
    const evidence = error instanceof Error && error.stack !== undefined ? error.stack.split('\n').slice(1, 4) : []
    return { code: 'INTERNAL', fault: 'INTERNAL', message: messageOf(error), evidence, next: 'devcloud doctor' }
  }
  const { code, fault, message, evidence, next } = error
  return { code, fault: fault ?? code, message, evidence, next }
}

function logLine(event: LogEvent): string {
  const out = (colour: Colour, text: string) => styleText(colour, text, { stream: process.stdout })
  const time = new Date(event.timeMs).toTimeString().slice(0, 8)
  const head = `${out('dim', time)} ${out('cyan', sourceOf(event))}`
  if (event.kind === 'request') {
    const colour = event.status >= 500 ? 'red' : event.status >= 400 ? 'yellow' : 'green'
    return `${head}  ${event.method.padEnd(4)} ${out(colour, String(event.status))}  ${printable(event.path)}  ${out('dim', `${Math.round(event.latencyMs)} ms`)}`
  }
  const colour = /ERROR|CRITICAL|ALERT|EMERGENCY/.test(event.severity) ? 'red' : event.severity === 'WARNING' ? 'yellow' : 'reset'
  return `${head}  ${out(colour, printable(event.text))}`
}

/** The source of a log line: the service, or the execution and task of a job. */
function sourceOf(event: LogEvent): string {
  if (event.kind === 'request' || event.resource === undefined) return event.service
  if (event.resource === 'cloud_run_worker_pool') return event.revision
  const [task, attempt] = event.instance.split('/')
  return `${event.revision}-task${task}${attempt === '0' ? '' : ` attempt ${attempt}`}`
}
