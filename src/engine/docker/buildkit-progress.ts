import { BuildLines } from './build-lines.ts'
import { parseErrorLine, tellsOfPull, type BuildMessage, type BuildProgress } from './build-progress.ts'
import { readBuildKitStatus, type BuildKitStatus } from './buildkit-status.ts'
import { readInstructions } from './dockerfile-steps.ts'

/** Progress of BuildKit. Several steps, which BuildKit calls vertexes, run at the same time: `[deps 2/5] RUN npm ci`. */
export class BuildKitProgress implements BuildProgress {
  readonly #lines: BuildLines
  readonly #said = new Set<string>()
  readonly #steps = new Set<string>()
  readonly #cached = new Set<string>()
  #missing: string | undefined
  imageId: string | undefined
  error: string | undefined
  step: string | undefined

  constructor(onLine: (line: string) => void) {
    this.#lines = new BuildLines(onLine)
  }

  get steps(): number {
    return this.#steps.size
  }
  get cachedSteps(): number {
    return this.#cached.size
  }

  accept(message: BuildMessage): void {
    const { id, aux } = message
    if (id === 'moby.buildkit.trace' && typeof aux === 'string') this.#status(readBuildKitStatus(Buffer.from(aux, 'base64')))
    else if (typeof aux === 'object' && aux.ID !== undefined) this.imageId = aux.ID
    if (message.error !== undefined) this.error = message.error
  }

  /** Finds an instruction by its text, since several steps run at the same time. An instruction with variables is not found. */
  line(dockerfile: string): number | undefined {
    const wanted = this.#missing === undefined ? this.step : undefined
    const found = readInstructions(dockerfile).filter(({ keyword, text }) =>
      this.#missing === undefined ? text === wanted : keyword === 'FROM' && text.split(' ').includes(this.#missing),
    )
    return found.length === 1 ? found[0]?.line : parseErrorLine(this.error ?? '')
  }

  missingImage(): string | undefined {
    return tellsOfPull(this.error ?? '') ? this.#missing : undefined
  }

  evidence(): string[] {
    return this.#lines.evidence(this.error)
  }

  #status(status: BuildKitStatus): void {
    for (const { digest, name, isCached, isStarted, error } of status.vertexes) {
      const step = /^\[(?:\S+ +)?\d+\/\d+\] (.*)$/s.exec(name)?.[1]
      if (step !== undefined) this.#steps.add(digest)
      if (step !== undefined && isCached && !/^FROM /i.test(step)) this.#cached.add(digest) // as the classic builder counts
      if ((isStarted || isCached) && !this.#said.has(digest)) {
        this.#said.add(digest)
        this.#lines.line(isCached ? `${name} (cached)` : name)
      }
      if (error !== '') {
        this.step = step?.replaceAll(/\s+/g, ' ')
        this.#missing = /^\[internal\] load metadata for (?:docker\.io\/(?:library\/)?)?(.+)$/.exec(name)?.[1]
      }
    }
    for (const { vertex, text } of status.logs) this.#lines.text(text, vertex)
  }
}
