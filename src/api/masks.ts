import { clone, type DescMessage, type Message, type MessageShape } from '@bufbuild/protobuf'
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect'
import { FieldMaskSchema, type FieldMask } from '@bufbuild/protobuf/wkt'
import { CloudError } from '../base/cloud-error.ts'

/**
 * Copies `current`, with each field in `paths` (snake_case, dotted) taken from `sent`. A field that `sent` lacks is cleared. `*` means every field.
 * @throws CloudError INVALID_ARGUMENT for a path that the message does not have
 */
export function applyMask<T extends DescMessage>(
  schema: T,
  current: MessageShape<T>,
  sent: MessageShape<T>,
  paths: readonly string[],
): MessageShape<T> {
  if (paths.includes('*')) return clone(schema, sent)
  const [merged, source] = [clone(schema, current), clone(schema, sent)]
  for (const path of new Set(paths)) applyPath(reflect(schema, merged), reflect(schema, source), path.split('.'), path)
  return merged
}

/** The longest mask: the paths of all fields of any message are shorter. */
const longestMask = 4096

/** The masks of a request, before any is read. @throws CloudError INVALID_ARGUMENT for one that is longer than any message has fields */
export function checkMasks(schema: DescMessage, message: Message): void {
  const request = reflect(schema, message)
  for (const field of schema.fields) {
    if (field.fieldKind !== 'message' || field.message.typeName !== FieldMaskSchema.typeName || !request.isSet(field)) continue
    const { paths } = request.get(field).message as FieldMask
    if (paths.length <= longestMask && paths.reduce((sum, path) => sum + path.length + 1, 0) <= longestMask) continue
    throw new CloudError('INVALID_ARGUMENT', 'The field mask is too long.', `Send at most ${longestMask} characters.`)
  }
}

function applyPath(target: ReflectMessage, source: ReflectMessage | undefined, words: readonly string[], path: string): void {
  const [word = '', ...rest] = words
  const field = target.desc.fields.find((candidate) => candidate.name === word || candidate.jsonName === word)
  if (field === undefined)
    throw new CloudError('INVALID_ARGUMENT', `Invalid field mask: "${path}" names no field of ${target.desc.name}.`, 'Correct updateMask.')
  const isSet = source?.isSet(field) === true
  if (rest.length === 0) {
    if (isSet && source !== undefined) target.set(field, source.get(field) as never)
    else target.clear(field)
  } else if (field.fieldKind === 'map') {
    const key = rest.join('.')
    const into = target.get(field)
    const from = source?.get(field)
    const value = from?.get(key)
    if (value === undefined) into.delete(key)
    else into.set(key, value as never)
  } else if (field.fieldKind === 'message') {
    const into = target.get(field)
    applyPath(into, isSet ? source?.get(field) : undefined, rest, path)
    target.set(field, into)
  } else {
    throw new CloudError(
      'INVALID_ARGUMENT',
      `Invalid field mask: "${path}" goes below "${word}", which has no fields.`,
      'Correct updateMask.',
    )
  }
}
