import { CloudError } from '../../base/cloud-error.ts'

/** Reads a format or filter expression from left to right. */
export class Scanner {
  readonly #text: string
  readonly #flag: string
  at = 0

  /** @param flag the flag whose value is `text`, for errors: `--format` */
  constructor(text: string, flag: string) {
    this.#text = text
    this.#flag = flag
  }

  get done(): boolean {
    return this.at >= this.#text.length
  }

  peek(length = 1): string {
    return this.#text.slice(this.at, this.at + length)
  }

  /** Takes `word` if it comes next. */
  take(word: string): boolean {
    if (!this.#text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  /** Takes the match of the sticky `pattern` here. Empty without a match. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.at += found.length
    return found
  }

  space(): void {
    this.match(/\s*/y)
  }

  expect(word: string): void {
    if (!this.take(word)) throw this.fault(`"${word}" is missing`)
  }

  /** Takes `"..."` or `'...'`, with backslash escapes. Undefined when no quote comes next. */
  quoted(): string | undefined {
    const quote = this.peek()
    if (quote !== '"' && quote !== "'") return undefined
    this.at += 1
    let text = ''
    while (!this.done) {
      const letter = this.peek()
      this.at += 1
      if (letter === quote) return text
      if (letter !== '\\') text += letter
      else {
        const escaped = this.peek()
        text += escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped
        this.at += 1
      }
    }
    throw this.fault(`the quote ${quote} is not closed`)
  }

  /** @returns a CloudError that shows where reading stopped */
  fault(message: string): CloudError {
    const { at } = this
    return new CloudError(
      'INVALID_ARGUMENT',
      `${this.#flag}: ${message} [${this.#text.slice(0, at)} *HERE* ${this.#text.slice(at)}].`,
      'gcloud topic formats, gcloud topic filters and docs/terminal.md show how it is written.',
      { fault: 'USAGE' },
    )
  }
}
