/** Cuts a build's output into lines, and keeps the last lines for an error. */
export class BuildLines {
  readonly #onLine: (line: string) => void
  readonly #rest = new Map<string, string>()
  readonly #last: string[] = []

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  /** @param source the step that wrote the text: steps that run at the same time each have an unfinished line */
  text(text: string, source = ''): void {
    const lines = ((this.#rest.get(source) ?? '') + text).split('\n')
    this.#rest.set(source, lines.pop() ?? '')
    for (const line of lines) this.line(line.replace(/\r$/, ''))
  }

  line(line: string): void {
    if (line !== '' && this.#last.push(line) > 20) this.#last.shift()
    this.#onLine(line)
  }

  /** The last lines, at most 20, followed by `error`. */
  evidence(error: string | undefined): string[] {
    for (const [source, rest] of this.#rest) if (rest !== '') this.text('\n', source)
    return [...this.#last, ...(error === undefined || this.#last.at(-1) === error ? [] : [error])].slice(-20)
  }
}
