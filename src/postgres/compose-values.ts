/** Reads bytes as Compose writes them: `512m`, `1gb`, `64kb`, `1073741824`. Units are powers of 1024. Undefined for other text. */
export function readBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)([kmg]?)b?$/i.exec(text) ?? []
  return number === undefined ? undefined : Math.round(Number(number) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase()))
}

const millisecondsOf: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Reads a duration as Compose writes it, in ms: `500ms`, `10s`, `1m30s`. Undefined for other text. */
export function readDurationMs(text: string): number | undefined {
  if (!/^(\d{1,9}(\.\d{1,6})?(us|ms|s|m|h))+$/.test(text)) return undefined
  const parts = text.matchAll(/([\d.]+)(us|ms|s|m|h)/g)
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (millisecondsOf[unit] ?? 0), 0)
}

/** Splits a command line as a shell does, with quotes and backslashes and without substitutions. Undefined for an open quote. */
export function readWords(line: string): readonly string[] | undefined {
  const words: string[] = []
  const word = /\s*((?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+)/y
  while (word.lastIndex < line.trimEnd().length) {
    const found = word.exec(line)?.[1]
    if (found === undefined) return undefined
    words.push(
      found.replace(
        /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g,
        (_all, plain?: string, quoted?: string, escaped?: string) => plain ?? quoted?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
      ),
    )
  }
  return words
}
