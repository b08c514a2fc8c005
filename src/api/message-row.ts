import { fromJsonString, toJsonString, type DescMessage, type MessageShape } from '@bufbuild/protobuf'
import { CloudError, messageOf } from '../base/cloud-error.ts'

/**
 * A row that keeps one of Google's messages, as `writeMessage` made it. Fields and values that these protos do not know are passed over:
 * the row was written with newer ones; what it lacks has its default.
 * @throws CloudError ROW_UNREADABLE
 */
export function readMessage<T extends DescMessage>(schema: T, row: string): MessageShape<T> {
  try {
    return fromJsonString(schema, row, { ignoreUnknownFields: true })
  } catch (error) {
    throw new CloudError('DATA_LOSS', `A row of ${schema.typeName} in the state cannot be read: ${messageOf(error)}.`, 'devcloud fsck', {
      cause: error,
      fault: 'ROW_UNREADABLE',
    })
  }
}

export function writeMessage<T extends DescMessage>(schema: T, message: MessageShape<T>): string {
  return toJsonString(schema, message)
}
