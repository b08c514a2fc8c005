/** An instruction of a Dockerfile. */
export interface Instruction {
  /** The line on which the instruction begins, counted from 1. */
  readonly line: number
  /** `FROM`, `RUN`; upper case. */
  readonly keyword: string
  /** The whole instruction in one line, as BuildKit names the step. */
  readonly text: string
}

/**
 * The instructions in order, without comments. A continued line counts once.
 * @see https://docs.docker.com/reference/dockerfile/#format
 */
export function readInstructions(dockerfile: string): Instruction[] {
  const escape = /^(?:#.*\n)*#\s*escape\s*=\s*(\S)/i.exec(dockerfile)?.[1] ?? '\\'
  const found: { line: number; words: string[] }[] = []
  let continues = false
  let heredoc: string | undefined
  for (const [index, raw] of dockerfile.split(/\r?\n/).entries()) {
    const text = raw.trim()
    if (heredoc !== undefined) {
      if (text === heredoc) heredoc = undefined
      continue
    }
    if (text === '' || text.startsWith('#')) continue // comments and blank lines do not end a continued instruction
    if (!continues) found.push({ line: index + 1, words: [] })
    continues = text.endsWith(escape)
    found.at(-1)?.words.push(...(continues ? text.slice(0, -1) : text).split(/\s+/).filter((word) => word !== ''))
    heredoc = /^(?:RUN|COPY|ADD)\b.*<<-?["']?([A-Za-z_]\w*)["']?/i.exec(text)?.[1]
  }
  return found.map(({ line, words }) => ({ line, keyword: (words[0] ?? '').toUpperCase(), text: words.join(' ') }))
}

/** Whether a Dockerfile needs BuildKit: mounts of RUN, heredocs, and the flags of COPY and ADD that came with BuildKit. */
export function needsBuildKit(dockerfile: string): boolean {
  return readInstructions(dockerfile).some(
    ({ keyword, text }) =>
      (keyword === 'RUN' && /^RUN (?:--\S+ )*--(?:mount|network|security)\b/i.test(text)) ||
      (['COPY', 'ADD'].includes(keyword) && /^\w+ (?:--\S+ )*--(?:chmod|link|exclude|parents|checksum|keep-git-dir)\b/i.test(text)) ||
      (['RUN', 'COPY', 'ADD'].includes(keyword) && /\s<<-?["']?[A-Za-z_]/.test(text)),
  )
}
