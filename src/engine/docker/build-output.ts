/** One message of a build: `{"stream":"Step 1/4 : FROM node:24\n"}`, `{"aux":{"ID":"sha256:..."}}`, `{"errorDetail":{"message":"..."},"error":"..."}`. */
export interface BuildMessage {
  readonly stream?: string
  readonly status?: string
  readonly id?: string
  readonly progressDetail?: { readonly total?: number }
  readonly aux?: { readonly ID?: string }
  readonly error?: string
}

/** What the classic builder said, gathered. */
export class BuildOutput {
  readonly #onLine: (line: string) => void
  #rest = ''
  readonly #lines: string[] = []
  steps = 0
  cachedSteps = 0
  imageId: string | undefined
  error: string | undefined
  /** The step that ran last: number from 1, and its instruction as written: `RUN npm ci`. */
  step: { readonly number: number; readonly text: string } | undefined

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  accept(message: BuildMessage): void {
    if (message.stream !== undefined) this.#text(message.stream)
    else if (message.status !== undefined && message.progressDetail?.total === undefined)
      this.#line(message.id === undefined ? message.status : `${message.id}: ${message.status}`)
    if (message.aux?.ID !== undefined) this.imageId = message.aux.ID
    if (message.error !== undefined) this.error = message.error
  }

  /** The last lines, at most 20, the error last. */
  evidence(): string[] {
    if (this.#rest !== '') this.#text('\n')
    return [...this.#lines, ...(this.error === undefined ? [] : [this.error])].slice(-20)
  }

  #text(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line.replace(/\r$/, ''))
  }

  #line(line: string): void {
    const step = /^Step (\d+)\/(\d+) : (.*)$/.exec(line)
    if (step !== null) {
      this.steps = Number(step[2])
      this.step = { number: Number(step[1]), text: step[3] ?? '' }
    } else if (line.trim() === '---> Using cache') this.cachedSteps++
    if (line !== '' && this.#lines.push(line) > 20) this.#lines.shift()
    this.#onLine(line)
  }
}

/** The image that a step wanted and could not get, when that is why it failed. */
export function missingImage(step: string, error: string): string | undefined {
  if (!/pull access denied|manifest|not found|no such host|dial tcp|lookup |i\/o timeout|x509|denied|toomanyrequests/i.test(error))
    return undefined
  const from = /^FROM\s+(?:--\S+\s+)*(\S+)/i.exec(step)?.[1]
  const copied = /^COPY\s+(?:--\S+\s+)*--from=(\S+)/i.exec(step)?.[1]
  return from ?? copied
}
