import { z } from 'zod'
import { rules } from '../../config/ids.ts'
import { commented, initYaml } from '../../config/init-yaml.ts'
import type { Place } from '../../config/place.ts'
import { strict, text, whole } from '../../config/schema-parts.ts'
import { section, type Reading } from '../../config/section.ts'
import { payloadLimitBytes } from './resources.ts'

export interface WantedSecrets {
  readonly secrets: readonly WantedSecret[]
}

export interface WantedSecret {
  readonly id: string
  readonly from: Place
  /** The first version's payload, added only to a secret without versions: the bytes of a file, a literal, or random bytes. */
  readonly initial:
    /** `file` is where the bytes were read, relative to the project's folder. */
    { readonly kind: 'value'; readonly data: Uint8Array; readonly file?: string } | { readonly kind: 'random'; readonly bytes: number }
}

const secret = strict({
  value: z.string().optional().describe('The payload as text, for values that need no secrecy, such as those of a demonstration.'),
  file: z.string().min(1, { error: 'a path' }).optional().describe('A file of the project. Its bytes are the payload.'),
  random: whole(8, 1024).optional().describe('A number of random bytes. devcloud makes the payload once, in base64url.'),
})
  .refine((given) => Object.values(given).filter((part) => part !== undefined).length === 1, {
    error: 'exactly one of value, file and random',
  })
  .meta({ minProperties: 1, maxProperties: 1 })

const keys = {
  secrets: z.record(text(rules.secret), secret).nullish().describe('First versions of secrets. A secret that has a version keeps it.'),
}

export const secretSection = section<typeof keys, WantedSecrets>({
  product: 'secretmanager',
  keys,
  async read(reading) {
    const secrets = await readSecrets(reading)
    return { wanted: () => (secrets.length === 0 ? undefined : { secrets }) }
  },
  describe: ({ secrets }) => secrets.map(({ id, initial, from }) => ({ name: `secret ${id}`, what: words(initial), from })),
  init(wanted, { mentioned }) {
    const samples = mentioned('secrets').length === 0 ? ['session-key'] : mentioned('secrets')
    return [
      '\n# First versions of secrets; a secret that has one keeps it. Also: { file: PATH } or { value: TEXT }.\n',
      wanted === undefined
        ? commented({ secrets: Object.fromEntries(samples.map((id) => [id, { random: 32 }])) })
        : initYaml({ secrets: Object.fromEntries(wanted.secrets.map(({ id, initial }) => [id, toYaml(initial)])) }),
    ].join('')
  },
})

async function readSecrets({ told, document, files, problems }: Reading<typeof keys>): Promise<readonly WantedSecret[]> {
  const secrets: WantedSecret[] = []
  for (const [id, { value, file: path, random }] of Object.entries(told.secrets ?? {})) {
    const from = document.keyPlaceOf(['secrets', id])
    if (random !== undefined) secrets.push({ id, from, initial: { kind: 'random', bytes: random } })
    if (value !== undefined) {
      const data = new TextEncoder().encode(value)
      if (data.length > payloadLimitBytes) problems.add(document.placeOf(['secrets', id, 'value']), tooLong(data.length))
      secrets.push({ id, from, initial: { kind: 'value', data } })
    }
    if (path !== undefined) {
      const place = document.placeOf(['secrets', id, 'file'])
      const within = await files.inside(path, place, 'file')
      const data = within === undefined ? undefined : await files.bytes(within, place, payloadLimitBytes)
      if (within !== undefined && data !== undefined) secrets.push({ id, from, initial: { kind: 'value', data, file: within } })
    }
  }
  return secrets
}

function tooLong(bytes: number): string {
  return `here are ${bytes} bytes; write at most ${payloadLimitBytes}, as Secret Manager takes`
}

function words(initial: WantedSecret['initial']): string {
  if (initial.kind === 'random') return `${initial.bytes} random bytes`
  return initial.file === undefined ? 'a value' : `from ${initial.file}`
}

function toYaml(initial: WantedSecret['initial']): Readonly<Record<string, unknown>> {
  if (initial.kind === 'random') return { random: initial.bytes }
  return initial.file === undefined ? { value: new TextDecoder('utf-8', { ignoreBOM: true }).decode(initial.data) } : { file: initial.file }
}
