import { createHash } from 'node:crypto'
import { clone, toJson, type DescMessage, type JsonValue, type MessageShape } from '@bufbuild/protobuf'

/** A template of revisions: of a service, or of a worker pool. */
export interface Template {
  /** A revision's id that the client wishes; empty for none. */
  revision: string
  readonly annotations: Record<string, string>
}

/** Two templates with one key make one revision (run trap 29). A revision's own name does not count, nor which tool sent it. */
export function templateKey<T extends DescMessage>(schema: T, template: MessageShape<T> & Template): string {
  const copy = clone<T>(schema, template) as MessageShape<T> & Template
  copy.revision = ''
  for (const key of Object.keys(copy.annotations)) if (key.startsWith('run.googleapis.com/client-')) delete copy.annotations[key]
  return createHash('sha256')
    .update(orderedText(toJson<T>(schema, copy)))
    .digest('hex')
}

/** JSON with the keys of every object in order, so that only values count. */
export function orderedText(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
