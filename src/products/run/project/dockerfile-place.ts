import type { Place } from '../../../config/place.ts'

/** Where a Dockerfile says what runs: the last ENTRYPOINT of its last stage, else its CMD, else that stage's FROM. */
export function dockerfilePlace(text: string, file: string): Place {
  let found = new Map<string, number>()
  for (const { word, line } of instructions(text)) {
    if (word === 'FROM') found = new Map()
    found.set(word, line)
  }
  return { file, line: found.get('ENTRYPOINT') ?? found.get('CMD') ?? found.get('FROM') ?? 1, column: 1 }
}

/** Instructions with their lines; comments, continued lines and here-documents are none. Source: docs.docker.com/reference/dockerfile. */
function* instructions(text: string): Generator<{ readonly word: string; readonly line: number }> {
  const ends: string[] = []
  let continued = false
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd()
    if (ends.length > 0 && !continued) {
      if (line.trimStart() === ends[0]) ends.shift()
      continue
    }
    if (/^\s*(#|$)/.test(line)) continue
    const [, word] = /^\s*([a-z]+)\b/i.exec(line) ?? []
    if (!continued && word !== undefined) yield { word: word.toUpperCase(), line: index + 1 }
    if (continued || /^\s*(RUN|COPY|ADD)\b/i.test(line)) {
      for (const [, , name] of line.matchAll(/<<-?\s*(["']?)(\w+)\1/g)) if (name !== undefined) ends.push(name)
    }
    continued = line.endsWith('\\')
  }
}
