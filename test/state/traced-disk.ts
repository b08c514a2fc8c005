import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** strace's options for a trace that `readTrace` reads: every call that changes a file or a name, or syncs one, with its bytes in full. */
export const traceOptions = (file: string) => [
  '-y', '-xx', '-s', '2000000', '-o', file,
  '-e', 'trace=openat,write,pwrite64,pwritev,fsync,fdatasync,rename,unlink,unlinkat,rmdir,mkdir,ftruncate',
] // prettier-ignore

/** One call below the traced directory. Paths are relative to it. */
export type Step =
  | { readonly kind: 'create' | 'empty' | 'mkdir' | 'unlink' | 'sync'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string; readonly at: number | undefined; readonly data: Buffer }
  | { readonly kind: 'cut'; readonly path: string; readonly size: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  /** A line on stdout: what was acknowledged by then. */
  | { readonly kind: 'said'; readonly line: string }

/** @param trace strace's lines, of a process whose calls outside of `directory` do not matter */
export function readTrace(trace: string, directory: string): readonly Step[] {
  const unfinished = new Map<string, string>()
  const steps: Step[] = []
  for (const line of trace.split('\n')) {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (text.endsWith('<unfinished ...>')) {
      unfinished.set(pid, text.slice(0, -'<unfinished ...>'.length))
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)
    const whole = resumed === null ? text : `${unfinished.get(pid) ?? ''}${resumed[1] ?? ''}`
    steps.push(...readCall(whole, directory))
  }
  return steps
}

function readCall(call: string, directory: string): readonly Step[] {
  const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(call) ?? []
  if (name === '' || result.startsWith('-')) return []
  const strings = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => bytesOf(hex))
  const opened = /^(\d+)<((?:\\x[0-9a-f]{2})*)>/.exec(args)
  const below = (path: string) =>
    path === directory ? '' : path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined
  const paths = strings.map((bytes) => below(bytes.toString()))
  const [first, second] = paths
  const file = opened === null ? undefined : below(bytesOf(opened[2] ?? '').toString())
  const data = strings[0] ?? Buffer.alloc(0)
  switch (name) {
    case 'openat':
      if (first === undefined || !args.includes('O_CREAT')) return []
      return [{ kind: 'create', path: first }, ...(args.includes('O_TRUNC') ? [{ kind: 'empty', path: first } as const] : [])]
    case 'write':
      if (opened?.[1] === '1') return [{ kind: 'said', line: data.toString().trim() }]
      return file === undefined ? [] : [{ kind: 'write', path: file, at: undefined, data }]
    case 'pwrite64':
      return file === undefined ? [] : [{ kind: 'write', path: file, at: Number(/(\d+)\s*$/.exec(args)?.[1]), data }]
    case 'ftruncate':
      return file === undefined ? [] : [{ kind: 'cut', path: file, size: Number(/(\d+)\s*$/.exec(args)?.[1]) }]
    case 'fsync':
    case 'fdatasync':
      return file === undefined ? [] : [{ kind: 'sync', path: file }]
    case 'rename':
      return first === undefined || second === undefined ? [] : [{ kind: 'rename', path: first, to: second }]
    case 'unlink':
    case 'unlinkat':
      return first === undefined ? [] : [{ kind: 'unlink', path: first }]
    case 'mkdir':
      return first === undefined ? [] : [{ kind: 'mkdir', path: first }]
    default:
      throw new Error(`The trace has a call that the disk does not know: ${name}`)
  }
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex')
}

/** Bytes of one file: what is surely on the disk, and what only the page cache has. */
class TracedFile {
  durable = Buffer.alloc(0)
  #size = 0
  pending: ((bytes: Buffer) => Buffer)[] = []

  write(at: number | undefined, data: Buffer): void {
    const from = at ?? this.#size
    this.#size = Math.max(this.#size, from + data.length)
    this.pending.push((bytes) => {
      const whole =
        bytes.length < from + data.length ? Buffer.concat([bytes, Buffer.alloc(from + data.length - bytes.length)]) : Buffer.from(bytes)
      data.copy(whole, from)
      return whole
    })
  }

  cut(size: number): void {
    this.#size = size
    this.pending.push((bytes) =>
      size <= bytes.length ? bytes.subarray(0, size) : Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]),
    )
  }

  sync(): void {
    for (const change of this.pending) this.durable = change(this.durable) as Buffer<ArrayBuffer>
    this.pending = []
  }
}

type Names = ReadonlyMap<string, TracedFile | 'folder'>

/**
 * A disk that keeps what was synced, and of the rest what a power cut leaves: nothing, or what `chance` picks. Names are kept when their
 * folder was synced; those of one folder that were not are kept in their order, up to some point, as file systems with a journal do.
 */
export class TracedDisk {
  #names = new Map<string, TracedFile | 'folder'>([['', 'folder']])
  #durableNames: Names = new Map(this.#names)
  #changes: { readonly folder: string; readonly apply: (names: Map<string, TracedFile | 'folder'>) => void }[] = []

  apply(step: Step): void {
    if (step.kind === 'said') return
    const { path } = step
    const found = this.#names.get(path)
    if (step.kind === 'create') {
      if (found === undefined) this.#change(path, (file) => (names) => names.set(path, file))
      return
    }
    if (step.kind === 'mkdir') return this.#note(dirname(path), (names) => void names.set(path, 'folder'))
    if (step.kind === 'unlink') return this.#note(dirname(path), (names) => void names.delete(path))
    if (step.kind === 'rename') {
      const { to } = step
      return this.#note(dirname(path), (names) => {
        const moved = names.get(path) ?? found
        if (moved !== undefined) names.set(to, moved)
        names.delete(path)
      })
    }
    if (step.kind === 'sync' && (found === 'folder' || path === '')) return this.#syncFolder(path)
    if (!(found instanceof TracedFile)) return
    if (step.kind === 'write') found.write(step.at, step.data)
    if (step.kind === 'cut') found.cut(step.size)
    if (step.kind === 'empty') found.cut(0)
    if (step.kind === 'sync') found.sync()
  }

  /** Writes into `directory` what is found there after a power cut now. @param chance undefined: nothing that was not synced is left */
  cutPower(directory: string, chance: (() => number) | undefined): void {
    const names = new Map(this.#durableNames)
    const stop = new Map<string, boolean>()
    for (const { folder, apply } of this.#changes) {
      if (chance === undefined || stop.get(folder) === true) continue
      if (chance() < 0.3) stop.set(folder, true)
      else apply(names)
    }
    for (const [path, file] of names) if (file === 'folder') mkdirSync(join(directory, path), { recursive: true })
    for (const [path, file] of names) {
      if (file === 'folder' || names.get(parentOf(path)) !== 'folder') continue
      let bytes: Buffer = file.durable
      for (const change of file.pending) if (chance !== undefined && chance() < 0.5) bytes = change(bytes)
      writeFileSync(join(directory, path), bytes)
    }
  }

  #change(path: string, make: (file: TracedFile) => (names: Map<string, TracedFile | 'folder'>) => void): void {
    this.#note(dirname(path), make(new TracedFile()))
  }

  #note(folder: string, apply: (names: Map<string, TracedFile | 'folder'>) => void): void {
    apply(this.#names)
    this.#changes.push({ folder: folder === '.' ? '' : folder, apply })
  }

  #syncFolder(folder: string): void {
    const names = new Map(this.#durableNames)
    for (const change of this.#changes) if (change.folder === folder) change.apply(names)
    this.#changes = this.#changes.filter((change) => change.folder !== folder)
    this.#durableNames = names
  }
}

function parentOf(path: string): string {
  const folder = dirname(path)
  return folder === '.' ? '' : folder
}

/** Numbers from 0 to 1 that are the same for a seed: mulberry32. */
export function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
