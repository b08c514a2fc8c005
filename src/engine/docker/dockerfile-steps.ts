/** An instruction of a Dockerfile and the line that it begins on, from 1. */
export interface Instruction {
  readonly line: number
  /** `FROM`, `RUN`; upper case. */
  readonly keyword: string
}

/**
 * The instructions in their order: without comments, a continued line counted once.
 * @see https://docs.docker.com/reference/dockerfile/#format
 */
export function readInstructions(dockerfile: string): Instruction[] {
  const escape = /^#\s*escape\s*=\s*(\S)/im.exec(dockerfile.split(/\r?\n(?!#)/)[0] ?? '')?.[1] ?? '\\'
  const found: Instruction[] = []
  let continues = false
  for (const [index, raw] of dockerfile.split(/\r?\n/).entries()) {
    const text = raw.trim()
    if (text === '' || text.startsWith('#')) continue // comments and blank lines do not end a continued instruction
    if (!continues) found.push({ line: index + 1, keyword: (/^\w+/.exec(text)?.[0] ?? '').toUpperCase() })
    continues = text.endsWith(escape)
  }
  return found
}

/** The line of step `number` (from 1), if that instruction is of the kind that Docker said it was. */
export function lineOfStep(dockerfile: string, number: number, keyword: string): number | undefined {
  const instruction = readInstructions(dockerfile)[number - 1]
  return instruction?.keyword === keyword.toUpperCase() ? instruction.line : undefined
}
