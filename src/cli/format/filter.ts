import { isRecord } from '../../base/is-record.ts'
import { pythonText } from './python-text.ts'
import { Scanner } from './scanner.ts'

/** @param valueOf gives the value of a key in the resource */
export type Filter = (valueOf: (key: string) => unknown) => boolean

/**
 * Reads a filter: `metadata.name:hello* AND (status.url~run OR NOT spec.x=1) -labels.env:*`. Terms without an operator between them are joined by AND,
 * which binds less than OR, as in gcloud. @throws CloudError USAGE
 */
export function readFilter(text: string): Filter {
  const scanner = new Scanner(text, '--filter')
  const filter = conjunction(scanner)
  if (!scanner.done) throw scanner.fault('nothing may follow')
  return filter
}

function conjunction(scanner: Scanner): Filter {
  const parts = [alternatives(scanner)]
  for (;;) {
    scanner.space()
    if (scanner.done || scanner.peek() === ')') return (valueOf) => parts.every((part) => part(valueOf))
    scanner.match(/AND(?=[\s(])/y)
    parts.push(alternatives(scanner))
  }
}

function alternatives(scanner: Scanner): Filter {
  const parts = [negation(scanner)]
  for (;;) {
    scanner.space()
    if (scanner.match(/OR(?=[\s(])/y) === '') return (valueOf) => parts.some((part) => part(valueOf))
    parts.push(negation(scanner))
  }
}

function negation(scanner: Scanner): Filter {
  scanner.space()
  if (scanner.match(/NOT(?=[\s(])|-/y) !== '') {
    const inner = negation(scanner)
    return (valueOf) => !inner(valueOf)
  }
  if (!scanner.take('(')) return term(scanner)
  const inner = conjunction(scanner)
  scanner.space()
  scanner.expect(')')
  return inner
}

function term(scanner: Scanner): Filter {
  const key = scanner.match(/(?:[\w\-/@$.[\]*]|"[^"]*"|\([^()]*\))+/y)
  if (key === '') throw scanner.fault('a key is missing')
  scanner.space()
  const operator = scanner.match(/!=|<=|>=|!~|[:=<>~]/y)
  if (operator === '') throw scanner.fault('an operator is missing: one of : = != < <= > >= ~ !~')
  scanner.space()
  const operands = readOperands(scanner)
  const wrong = operator.endsWith('~') ? operands.find((operand) => !isPattern(operand)) : undefined
  if (wrong !== undefined) throw scanner.fault(`"${wrong}" is no regular expression`)
  const test = tests[operator] ?? (() => false)
  const isNegative = operator.startsWith('!')
  return (valueOf) => {
    const found = valueOf(key)
    const hits = operands.some(
      (operand) => leaves(found).some((leaf) => test(leaf, operand)) || (operand === '*' && operator === ':' && has(found)),
    )
    return isNegative ? !hits : hits
  }
}

/** Whether an operator holds for one value. An operator with `!` is the negation of the operator without. */
const tests: Readonly<Record<string, (value: unknown, operand: string) => boolean>> = {
  ':': (value, operand) => contains(pythonText(value).toLowerCase(), operand.toLowerCase()),
  '=': equals,
  '!=': equals,
  '<': (value, operand) => compare(value, operand) < 0,
  '<=': (value, operand) => compare(value, operand) <= 0,
  '>': (value, operand) => compare(value, operand) > 0,
  '>=': (value, operand) => compare(value, operand) >= 0,
  '~': (value, operand) => new RegExp(operand).test(pythonText(value)),
  '!~': (value, operand) => new RegExp(operand).test(pythonText(value)),
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}

/** Reads one value, or a list `(a, b c)`. */
function readOperands(scanner: Scanner): readonly string[] {
  const one = () => scanner.quoted() ?? scanner.match(/[^\s(),]+/y)
  if (!scanner.take('(')) {
    const quoted = scanner.quoted()
    return [quoted ?? scanner.match(/[^\s()]+/y)]
  }
  const all: string[] = []
  for (;;) {
    scanner.match(/[\s,]*/y)
    if (scanner.take(')')) return all
    if (scanner.done) throw scanner.fault('")" is missing')
    all.push(one())
  }
}

function equals(value: unknown, operand: string): boolean {
  return pythonText(value).toLowerCase() === operand.toLowerCase()
}

/** `hello*` matches at the start, `*hello` at the end, `hello` anywhere. */
function contains(value: string, pattern: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return value.includes(pattern)
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)]
  return value.length >= head.length + tail.length && value.startsWith(head) && value.endsWith(tail)
}

function compare(value: unknown, operand: string): number {
  const text = pythonText(value)
  if (text !== '' && !Number.isNaN(Number(text)) && !Number.isNaN(Number(operand))) return Number(text) - Number(operand)
  return text < operand ? -1 : text > operand ? 1 : 0
}

/** The values in a list or a record, and the record's keys. A filter matches when any of them matches. */
function leaves(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(leaves)
  if (isRecord(value)) return Object.entries(value).flatMap(([key, part]) => [key, ...leaves(part)])
  return value === undefined || value === null ? [] : [value]
}

function has(value: unknown): boolean {
  return leaves(value).length > 0
}
