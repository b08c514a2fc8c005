import { ScalarType, type DescField, type DescMessage, type Message, type MessageShape } from '@bufbuild/protobuf'
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect'
import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt'
import type { FilterField, FilterValue } from './filter-field.ts'

type Field = FilterField<Message>

/** The field of a message at `path`. A path may go through messages, through lists of messages, and into a map by a key. */
export function messageField<T extends DescMessage>(schema: T, path: readonly string[]): FilterField<MessageShape<T>> | undefined {
  const steps = readSteps(schema, path)
  const last = steps?.at(-1)
  if (steps === undefined || last === undefined) return undefined
  return { kind: kindOf(last), values: (resource) => valuesAt([reflect(schema, resource)], steps) }
}

interface Step {
  readonly field: DescField
  /** The key, when the path goes on into a map. */
  readonly key?: string
}

function readSteps(schema: DescMessage, [word, ...rest]: readonly string[]): readonly Step[] | undefined {
  const field = schema.fields.find((found) => found.name === word || found.jsonName === word)
  if (field === undefined) return undefined
  if (rest.length === 0) return [{ field }]
  if (field.fieldKind === 'map') return [{ field, key: rest.join('.') }]
  if (field.message === undefined) return undefined
  const further = readSteps(field.message, rest)
  return further === undefined ? undefined : [{ field }, ...further]
}

function kindOf({ field, key }: Step): Field['kind'] {
  if (field.fieldKind === 'map' && key === undefined) return 'presence'
  if (field.message !== undefined) return field.message.typeName === 'google.protobuf.Timestamp' ? 'time' : 'presence'
  if (field.enum !== undefined) return 'enum'
  if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES) return 'text'
  return field.scalar === ScalarType.BOOL ? 'boolean' : 'number'
}

function valuesAt(messages: readonly ReflectMessage[], [step, ...rest]: readonly Step[]): readonly FilterValue[] {
  if (step === undefined) return []
  const { field, key } = step
  if (rest.length > 0)
    return valuesAt(
      messages.flatMap((message) => messagesIn(message, field)),
      rest,
    )
  return messages.flatMap((message): readonly FilterValue[] => {
    if (field.fieldKind === 'map') {
      const map = message.get(field)
      if (key === undefined) return [...map.keys()].map(String)
      const value = map.has(key) ? map.get(key) : undefined
      return value === undefined ? [] : [typeof value === 'boolean' ? value : typeof value === 'bigint' ? Number(value) : String(value)]
    }
    if (field.fieldKind === 'list') return [...message.get(field)].map((value) => toValue(field, value))
    if (field.fieldKind === 'message') return message.isSet(field) ? [toValue(field, message.get(field))] : []
    return [toValue(field, message.get(field))]
  })
}

function messagesIn(message: ReflectMessage, field: DescField): readonly ReflectMessage[] {
  if (field.fieldKind === 'message') return message.isSet(field) ? [message.get(field)] : []
  return field.fieldKind === 'list' && field.listKind === 'message' ? ([...message.get(field)] as ReflectMessage[]) : []
}

function toValue(field: DescField, value: unknown): FilterValue {
  if (field.enum !== undefined) return field.enum.value[Number(value)]?.name ?? String(value)
  if (field.message?.typeName === 'google.protobuf.Timestamp') return timestampMs((value as ReflectMessage).message as Timestamp)
  if (field.message !== undefined) return ''
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'boolean' || typeof value === 'number' ? value : String(value)
}
