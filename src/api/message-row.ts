import { fromJsonString, toJsonString, type DescMessage, type Message, type MessageShape } from '@bufbuild/protobuf'
import { unreadableRow, type ResourceKind } from '../state/resource-kind.ts'

/** A kind of resources whose value is one of Google's messages, named by the message's field `name`. */
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
 * Reads a message from the row that `writeMessage` made. Fields and values that these protos do not know are ignored: newer protos wrote the row. A field
 * that the row lacks has its default.
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
