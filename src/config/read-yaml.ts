import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseAllDocuments, type Document, type YAMLMap } from 'yaml'
import { messageOf } from '../base/cloud-error.ts'
import type { Problems } from './problems.ts'
import type { Place } from './place.ts'

/** One document of a file: its plain value, and the place of each part. */
export interface YamlDocument {
  readonly value: unknown
  /** The place of the value at `path`, or of the nearest existing part above. */
  placeOf(path: readonly PropertyKey[]): Place
  /** The place of the key at `path`, or of the item in a list. */
  keyPlaceOf(path: readonly PropertyKey[]): Place
}

// Far above any real file, and low enough that a hostile one is answered in well under a second.
const most = { lexemes: 100_000, openBrackets: 64, indicatorsInLine: 32, indent: 200, nodes: 20_000, errors: 20 }

interface Located {
  readonly value: unknown
  readonly place: Place
  readonly keyPlace: Place
  readonly children: ReadonlyMap<string, Located>
}

/**
 * Reads YAML 1.2 with places. Duplicate keys, tabs, unknown tags, and aliases that grow without end are problems. Gives no documents for text that cannot
 * be read.
 */
export function readYaml(text: string, file: string, problems: Problems): readonly YamlDocument[] {
  const counter = new LineCounter()
  const at = (offset: number): Place => {
    const { line, col } = counter.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const tooMuch = tooMuchFor(text)
  if (tooMuch !== undefined) {
    problems.add({ file, line: tooMuch.line, column: 1 }, tooMuch.text)
    return []
  }
  const documents = parseAllDocuments(text, {
    schema: 'core',
    uniqueKeys: false,
    stringKeys: true,
    lineCounter: counter,
    prettyErrors: false,
  })
  if (!Array.isArray(documents)) return []
  const faults = firstOfEach(documents.flatMap((document) => [...document.errors, ...document.warnings]))
  for (const fault of faults.slice(0, most.errors)) problems.add(at(fault.pos[0]), words(fault))
  if (faults.length > 0) return []
  const budget = { left: most.nodes }
  return documents.flatMap((document) => {
    try {
      return [toYamlDocument(new Reader(document, at, problems, budget).read())]
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      problems.add(at(error.offset), messageOf(error))
      return []
    }
  })
}

/** Counts the nesting with the lexer, which is linear, before the parser runs: the parser recurses without a limit. */
function tooMuchFor(text: string): { readonly line: number; readonly text: string } | undefined {
  let [lexemes, open, indicators, line, atStart] = [0, 0, 0, 1, true]
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1
    if (lexeme === '[' || lexeme === '{') open += 1
    if (lexeme === ']' || lexeme === '}') open -= 1
    if (lexeme === '-' || lexeme === '?') indicators += 1
    const isDeep =
      open > most.openBrackets || indicators > most.indicatorsInLine || (atStart && /^ +$/.test(lexeme) && lexeme.length > most.indent)
    if (isDeep) return { line, text: 'this is nested too deeply; write it flatter' }
    if (lexemes > most.lexemes) return { line, text: `the file has more than ${most.lexemes} parts; write less` }
    atStart = lexeme.endsWith('\n')
    if (atStart) indicators = 0
    for (let end = lexeme.indexOf('\n'); end >= 0; end = lexeme.indexOf('\n', end + 1)) line += 1
  }
  return undefined
}

/** Keeps the first fault of a kind: after one unexpected token, each following token is reported as unexpected too. */
function firstOfEach<T extends { readonly code: string }>(faults: readonly T[]): readonly T[] {
  const first = faults.findIndex(({ code }) => code === 'UNEXPECTED_TOKEN')
  return faults.filter(({ code }, index) => code !== 'UNEXPECTED_TOKEN' || index === first)
}

/** Faults whose message ends with text of the file, which may be a password. Other messages are cut at the first quotation mark. */
const quoting = new Set(['UNEXPECTED_TOKEN', 'TAG_RESOLVE_FAILED', 'BAD_ALIAS', 'BAD_DIRECTIVE', 'BAD_DQ_ESCAPE', 'BAD_SCALAR_START'])

function words(fault: { readonly code: string; readonly message: string }): string {
  if (fault.code === 'TAB_AS_INDENT') return 'a tab indents this line; write spaces'
  const [what = ''] = fault.message.replaceAll(/\s+/g, ' ').split(quoting.has(fault.code) ? /[:"\\]/ : /"/)
  return `${what.replace(/( in YAML stream)? ?$/, '')}; mend the YAML here`
}

/** Ends the reading of a document. */
class Unreadable extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** Turns nodes into plain values and follows aliases, in the order of the text, so that an anchor is known before its aliases. */
class Reader {
  readonly #document: Document.Parsed
  readonly #at: (offset: number) => Place
  readonly #problems: Problems
  readonly #budget: { left: number }
  readonly #anchors = new Map<string, unknown>()
  readonly #open = new Set<unknown>()
  /** The place of the outermost alias whose target is being read. */
  #aliasOffset: number | undefined

  constructor(document: Document.Parsed, at: (offset: number) => Place, problems: Problems, budget: { left: number }) {
    this.#document = document
    this.#at = at
    this.#problems = problems
    this.#budget = budget
  }

  read(): Located {
    const place = this.#at(this.#document.contents?.range[0] ?? this.#document.range[0])
    return this.#node(this.#document.contents, place, place)
  }

  #node(node: unknown, keyPlace: Place, around: Place): Located {
    const offset = offsetOf(node)
    const place = offset === undefined ? around : this.#at(offset)
    this.#budget.left -= 1
    if (this.#budget.left < 0)
      throw new Unreadable(`with its aliases the file has more than ${most.nodes} values; write less`, this.#aliasOffset ?? offset ?? 0)
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source)
      if (target === undefined || this.#open.has(target)) {
        throw new Unreadable(`*${node.source} has no value to stand for; write the value`, this.#aliasOffset ?? offset ?? 0)
      }
      const outer = this.#aliasOffset
      this.#aliasOffset ??= offset
      const located = this.#node(target, keyPlace, place)
      this.#aliasOffset = outer
      return located
    }
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isMap(node)) return this.#within(node, () => this.#map(node, place, keyPlace))
    if (isSeq(node)) return this.#within(node, () => this.#list(node.items, place, keyPlace))
    return { value: isScalar(node) ? node.value : null, place, keyPlace, children: new Map() }
  }

  #map(node: YAMLMap, place: Place, keyPlace: Place): Located {
    const children = new Map<string, Located>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      const here = this.#at(offsetOf(key) ?? 0)
      const child = this.#node(value, here, here)
      if (name === '__proto__' || name === '<<') this.#problems.add(here, `"${name}" is not a key here; write the keys out`)
      else if (children.has(name)) this.#problems.add(here, `the key "${name}" is here a second time; write it once`)
      else children.set(name, child)
    }
    return { value: Object.fromEntries([...children].map(([name, child]) => [name, child.value])), place, keyPlace, children }
  }

  #list(items: readonly unknown[], place: Place, keyPlace: Place): Located {
    const children = items.map((item) => this.#node(item, this.#at(offsetOf(item) ?? 0), place))
    const byIndex = new Map(children.map((child, index) => [String(index), child]))
    return { value: children.map((child) => child.value), place, keyPlace, children: byIndex }
  }

  #within(node: unknown, read: () => Located): Located {
    this.#open.add(node)
    const located = read()
    this.#open.delete(node)
    return located
  }
}

function offsetOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range?.[0] : undefined
}

function toYamlDocument(root: Located): YamlDocument {
  const find = (path: readonly PropertyKey[]): Located => {
    let found = root
    for (const part of path) found = found.children.get(String(part)) ?? found
    return found
  }
  return { value: root.value, placeOf: (path) => find(path).place, keyPlaceOf: (path) => find(path).keyPlace }
}
