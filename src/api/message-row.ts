import { fromJsonString, toJsonString, type DescMessage, type Message, type MessageShape } from '@bufbuild/protobuf'
import { unreadableRow, type ResourceKind } from '../state/resource-kind.ts'

/** Resources that are one of Google's messages, by its field `name`. */
export function messageKind<T extends DescMessage>(
  kind: string,
  schema: MessageShape<T> extends { readonly name: string } ? T : never,
): ResourceKind<MessageShape<T>> {
  return {
    kind,
    form: 'json',
    nameOf: (message) => (message as Message & { readonly name: string }).name,
    read: (row) => readMessage<T>(schema, row),
    write: (message) => writeMessage<T>(schema, message),
  }
}

/**
 * A row that keeps one of Google's messages, as `writeMessage` made it. Fields and values that these protos do not know are passed over:
 * the row was written with newer ones; what it lacks has its default.
 * @throws CloudError ROW_UNREADABLE
 */
export function readMessage<T extends DescMessage>(schema: T, row: string): MessageShape<T> {
  try {
    return fromJsonString(schema, row, { ignoreUnknownFields: true })
  } catch (error) {
    throw unreadableRow(`A row of ${schema.typeName}`, error)
  }
}

export function writeMessage<T extends DescMessage>(schema: T, message: MessageShape<T>): string {
  return toJsonString(schema, message)
}
