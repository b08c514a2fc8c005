import { fromJson, type DescField, type DescMessage, type JsonValue, type Message, type Registry } from '@bufbuild/protobuf'
import { CloudError, messageOf } from '../base/cloud-error.ts'

/** Query parameters that Google's front end takes for itself (sql trap 45). */
const systemParameters = new Set([
  'alt',
  'fields',
  'prettyPrint',
  'key',
  'quotaUser',
  'access_token',
  'oauth_token',
  'callback',
  'uploadType',
  'upload_protocol',
])

/**
 * Builds the request message of a REST call: first the body, then path variables, then query parameters, each by its field path.
 * @param body the rule's `body`: `*`, a field's name, or undefined when the method has no body
 * @throws CloudError INVALID_ARGUMENT in Google's words for an unknown field or a value of the wrong type
 */
export function readRestRequest(
  schema: DescMessage,
  rule: { readonly body: string | undefined; readonly variables: Readonly<Record<string, string>> },
  query: URLSearchParams,
  payload: JsonValue | undefined,
  registry: Registry,
): Message {
  const json: Record<string, JsonValue> = {}
  if (rule.body === '*' && payload !== undefined) Object.assign(json, asObject(payload))
  else if (rule.body !== undefined && payload !== undefined) json[fieldOf(schema, rule.body).jsonName] = payload
  for (const [path, value] of Object.entries(rule.variables)) setPath(schema, json, path.split('.'), [value])
  for (const name of new Set(query.keys())) {
    if (isSystemParameter(name)) continue
    setPath(schema, json, name.split('.'), query.getAll(name))
  }
  try {
    return fromJson(schema, json, { registry })
  } catch (error) {
    const words = messageOf(error)
    const unknown = /cannot decode message (\S+) from JSON: key "([^"]+)" is unknown/.exec(words)
    const message =
      unknown === null
        ? `Invalid JSON payload received. ${words}`
        : `Invalid JSON payload received. Unknown name "${unknown[2]}": Cannot find field.`
    throw new CloudError('INVALID_ARGUMENT', message, 'Correct the request.', { cause: error })
  }
}

function setPath(schema: DescMessage, json: Record<string, JsonValue>, words: readonly string[], values: readonly string[]): void {
  const [word = '', ...rest] = words
  const field = fieldOf(schema, word)
  if (rest.length === 0) {
    json[field.jsonName] =
      field.fieldKind === 'list' ? values.map((value) => toJsonValue(field, value)) : toJsonValue(field, values.at(-1) ?? '')
    return
  }
  if (field.fieldKind === 'map') {
    json[field.jsonName] = { ...asObject(json[field.jsonName] ?? {}), [rest.join('.')]: values.at(-1) ?? '' }
    return
  }
  if (field.fieldKind !== 'message') throw unknownParameter(words.join('.'))
  const inner = { ...asObject(json[field.jsonName] ?? {}) }
  setPath(field.message, inner, rest, values)
  json[field.jsonName] = inner
}

/** A value of a URL in proto JSON: booleans without quotes, field masks in camelCase. Numbers may stay strings. */
function toJsonValue(field: DescField, text: string): JsonValue {
  if (field.scalar === 8 && /^(true|false|)$/i.test(text)) return text.toLowerCase() !== 'false' // gcloud writes False
  if (field.enum !== undefined && /^\d+$/.test(text)) return Number(text)
  if (field.message?.typeName === 'google.protobuf.FieldMask')
    return text.replaceAll(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase())
  return text
}

function fieldOf(schema: DescMessage, word: string): DescField {
  const field = schema.fields.find((candidate) => candidate.name === word || candidate.jsonName === word)
  if (field === undefined) throw unknownParameter(word)
  return field
}

/** Whether a query parameter is for Google's front end, not for a method. */
export function isSystemParameter(name: string): boolean {
  return systemParameters.has(name) || name.startsWith('$')
}

/** @returns the error, in Google's words, for a query parameter that a method does not have */
export function unknownParameter(name: string): CloudError {
  return new CloudError(
    'INVALID_ARGUMENT',
    `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${name}' could not be found in request message.`,
    'Remove it.',
  )
}

function asObject(value: JsonValue): Record<string, JsonValue> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new CloudError('INVALID_ARGUMENT', 'Invalid JSON payload received. The body must be an object.', 'Send a JSON object.')
}
