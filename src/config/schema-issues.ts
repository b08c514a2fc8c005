import { isRecord } from '../base/is-record.ts'
import type { z } from 'zod'
import { didYouMean } from '../base/did-you-mean.ts'
import type { Problems } from './problems.ts'
import type { YamlDocument } from './read-yaml.ts'

type Issue = z.core.$ZodIssue

/**
 * Reads a document with a schema. Each part that does not fit becomes a problem at its place, with what to write instead.
 * @returns undefined when a part does not fit
 */
export function readBySchema<T>(schema: z.ZodType<T>, document: YamlDocument, problems: Problems): T | undefined {
  const result = schema.safeParse(document.value)
  if (result.success) return result.data
  for (const issue of result.error.issues) add(issue, [], document, problems)
  return undefined
}

/** A file's value without the entries (`services.web`) that do not fit, so that the other entries are checked too. */
export function withoutFaults(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success || !isRecord(value)) return result.success ? value : {}
  const rest = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, isRecord(part) ? { ...part } : part]))
  for (const { path, ...issue } of result.error.issues) {
    const [section = '', entry] = path.map(String)
    const part = rest[section]
    if (path.length === 0 && 'keys' in issue) for (const key of issue.keys as readonly string[]) delete rest[key]
    else if (entry !== undefined && isRecord(part)) delete (part as Record<string, unknown>)[entry]
    else delete rest[section]
  }
  return rest
}

function add(issue: Issue, above: readonly PropertyKey[], document: YamlDocument, problems: Problems): void {
  const path = [...above, ...issue.path]
  const value = valueAt(document.value, path)
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(', ')
    for (const key of issue.keys) problems.add(document.keyPlaceOf([...path, key]), unknownKey(key, known))
  } else if (issue.code === 'invalid_key') {
    const rule = issue.issues.map((inner) => inner.message).join(', ')
    problems.add(document.keyPlaceOf(path), `"${String(path.at(-1))}" cannot be a name here; write ${rule}`)
  } else if (issue.code === 'invalid_union') {
    addUnion(issue, path, document, problems)
  } else if (issue.code === 'invalid_type' && value === undefined) {
    if (isMisspelt(String(path.at(-1)), valueAt(document.value, path.slice(0, -1)))) return
    problems.add(document.keyPlaceOf(path.slice(0, -1)), `"${String(path.at(-1))}" is missing; write it`)
  } else if (issue.code === 'invalid_type') {
    problems.add(document.placeOf(path), `${shown(value, path)}; write ${wantedWords(issue.expected, issue.message, value, path)}`)
  } else {
    problems.add(document.placeOf(path), `${named(value, path)} does not fit; write ${issue.message}`)
  }
}

/** Reports the branch of a union whose type fits the value. When no branch fits, reports all types. */
function addUnion(issue: z.core.$ZodIssueInvalidUnion, path: readonly PropertyKey[], document: YamlDocument, problems: Problems): void {
  const fits = issue.errors.find((branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0))
  if (fits !== undefined) {
    for (const inner of fits) add(inner, path, document, problems)
    return
  }
  const value = valueAt(document.value, path)
  const words = issue.errors.flatMap((branch) =>
    branch.map((inner) => (inner.code === 'invalid_type' ? wantedWords(inner.expected, inner.message, value, path) : inner.message)),
  )
  problems.add(document.placeOf(path), `${shown(value, path)}; write ${[...new Set(words)].join(' or ')}`)
}

function wantedWords(expected: string, message: string, value: unknown, path: readonly PropertyKey[]): string {
  if (message.startsWith('a whole number')) return message
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return isPrivate(path) ? 'it in quotes' : `it in quotes: "${value}"`
  }
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    boolean: 'true or false',
    number: 'a number',
    array: 'a list: [ ... ]',
    object: 'keys and values',
    record: 'names, each with its values',
  }
  return words[expected] ?? expected
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = didYouMean(key, known)
  return meant === undefined ? `unknown key "${key}"; known here: ${known.join(', ')}` : `unknown key "${key}"; write "${meant}"`
}

/** True when a key that is there was meant to be the missing one, which is told of that key. */
function isMisspelt(missing: string, parent: unknown): boolean {
  return isRecord(parent) && Object.keys(parent).some((key) => didYouMean(key, [missing]) !== undefined)
}

function named(value: unknown, path: readonly PropertyKey[]): string {
  return (typeof value === 'string' || typeof value === 'number') && !isPrivate(path) ? quoted(value) : 'this'
}

function quoted(value: string | number | boolean): string {
  const words = String(value)
  return `"${words.length > 60 ? `${words.slice(0, 60)}...` : words}"`
}

/** The value in a few words. For a value that may be secret: only its kind. */
function shown(value: unknown, path: readonly PropertyKey[]): string {
  if (value === null) return 'here is nothing'
  if (Array.isArray(value)) return 'here is a list'
  if (typeof value === 'object') return 'here are keys and values'
  const kind = typeof value === 'string' ? 'text' : typeof value === 'number' ? 'a number' : 'true or false'
  if (isPrivate(path)) return `here is ${kind}`
  return `${quoted(value as string | number | boolean)} is ${kind}`
}

function isPrivate(path: readonly PropertyKey[]): boolean {
  return path.includes('value') || path.includes('password') || path.includes('env')
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const part of path) {
    found = typeof found === 'object' && found !== null ? (found as Readonly<Record<PropertyKey, unknown>>)[part] : undefined
  }
  return found
}
