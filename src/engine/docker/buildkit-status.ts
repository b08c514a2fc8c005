import { BinaryReader } from '@bufbuild/protobuf/wire'

/** The part of moby.buildkit.v1.StatusResponse that is shown. The rest is for progress bars. */
export interface BuildKitStatus {
  readonly vertexes: readonly Vertex[]
  readonly logs: readonly { readonly vertex: string; readonly text: string }[]
}

interface Vertex {
  readonly digest: string
  /** `[deps 2/5] RUN npm ci` */
  readonly name: string
  readonly isCached: boolean
  readonly isStarted: boolean
  readonly error: string
}

/**
 * Reads a message of a trace. dockerode decodes a trace to text in which a command's output is base64, so devcloud reads the bytes itself.
 * @see https://github.com/moby/buildkit/blob/master/api/services/control/control.proto
 */
export function readBuildKitStatus(bytes: Uint8Array): BuildKitStatus {
  const fields = readFields(bytes)
  return {
    vertexes: fields.filter((field) => field.number === 1).map((field) => readVertex(field.bytes)),
    logs: fields
      .filter((field) => field.number === 3)
      .map((field) => {
        const log = readFields(field.bytes)
        return { vertex: textOf(log, 1), text: textOf(log, 4) }
      }),
  }
}

function readVertex(bytes: Uint8Array): Vertex {
  const fields = readFields(bytes)
  const has = (number: number) => fields.some((field) => field.number === number)
  return { digest: textOf(fields, 1), name: textOf(fields, 3), isCached: has(4), isStarted: has(5), error: textOf(fields, 7) }
}

interface Field {
  readonly number: number
  /** The bytes of a field. Empty for a field of another wire type; protobuf sends only booleans that are true. */
  readonly bytes: Uint8Array
}

function readFields(bytes: Uint8Array): Field[] {
  const reader = new BinaryReader(bytes)
  const fields: Field[] = []
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (type === 2) {
      fields.push({ number, bytes: reader.bytes() })
    } else {
      reader.skip(type, number)
      fields.push({ number, bytes: new Uint8Array() })
    }
  }
  return fields
}

function textOf(fields: readonly Field[], number: number): string {
  return Buffer.from(fields.find((field) => field.number === number)?.bytes ?? []).toString('utf8')
}
