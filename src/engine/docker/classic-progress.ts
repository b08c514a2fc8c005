import { BuildLines } from './build-lines.ts'
import { parseErrorLine, tellsOfPull, type BuildMessage, type BuildProgress } from './build-progress.ts'
import { readInstructions } from './dockerfile-steps.ts'

/** Progress of the classic builder: `Step 2/4 : RUN npm ci`, then ` ---> Using cache` or the command's output. */
export class ClassicProgress implements BuildProgress {
  readonly #lines: BuildLines
  #number = 0
  steps = 0
  cachedSteps = 0
  imageId: string | undefined
  error: string | undefined
  step: string | undefined

  constructor(onLine: (line: string) => void) {
    this.#lines = new BuildLines((line) => {
      this.#note(line)
      onLine(line)
    })
  }

  accept(message: BuildMessage): void {
    const { stream, status, id, progressDetail, aux, error } = message
    if (stream !== undefined) this.#lines.text(stream)
    else if (status !== undefined && progressDetail?.total === undefined) this.#lines.line(id === undefined ? status : `${id}: ${status}`)
    if (typeof aux === 'object' && aux.ID !== undefined) this.imageId = aux.ID
    if (error !== undefined) this.error = error
  }

  /** Matches a step to its instruction by number, if both are of the same kind. */
  line(dockerfile: string): number | undefined {
    if (this.step === undefined) return parseErrorLine(this.error ?? '')
    const instruction = readInstructions(dockerfile)[this.#number - 1]
    return instruction !== undefined && this.step.toUpperCase().startsWith(instruction.keyword) ? instruction.line : undefined
  }

  missingImage(): string | undefined {
    if (this.step === undefined || !tellsOfPull(this.error ?? '')) return undefined
    const from = /^FROM\s+(?:--\S+\s+)*(\S+)/i.exec(this.step)?.[1]
    return from ?? /^COPY\s+(?:--\S+\s+)*--from=(\S+)/i.exec(this.step)?.[1]
  }

  evidence(): string[] {
    return this.#lines.evidence(this.error)
  }

  #note(line: string): void {
    const step = /^Step (\d+)\/(\d+) : (.*)$/.exec(line)
    if (step !== null) {
      this.#number = Number(step[1])
      this.steps = Number(step[2])
      this.step = step[3] ?? ''
    } else if (line.trim() === '---> Using cache') this.cachedSteps++
  }
}
