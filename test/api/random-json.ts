import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf'
import type { Seeded } from '../seeded.ts'

const texts = [
  '', 'a', 'A', '-', '..', '*', 'my-name', 'projects/demo-project', 'projects/demo-project/locations/us-central1', 'latest', 'allUsers', 'user:a@b.example',
  'roles/viewer', 'é', '\u0000', '\u202e', '__proto__', 'constructor', '2026-01-01T00:00:00Z', '9999-99-99', '1s', '-1.5s', '1e9s', 'AAAA', '====', '0', '-1',
  '9223372036854775807', '18446744073709551616', '1Gi', '100m', 'a,b.c', 'a'.repeat(300), '${x}', "'; DROP TABLE resources; --", '%00',
] // prettier-ignore
const numbers = [0, 1, -1, 1.5, 80, 8080, 65_536, 2_147_483_647, -2_147_483_648, 4_294_967_296, 1e15, 1e300]
const oddities: readonly JsonValue[] = [
  null,
  true,
  false,
  [],
  {},
  [null],
  [[]],
  { '': null },
  { a: { b: [1] } },
  { '@type': 'x' },
  { '@type': 'type.googleapis.com/google.protobuf.Empty' },
]

/** JSON that a client might send for the message: most of it of the right kind, some of it not. */
export function randomMessage(random: Seeded, schema: DescMessage, depth = 0): JsonValue {
  const wellKnown = schema.typeName.startsWith('google.protobuf.')
  if (wellKnown && chance(random, 0.9)) return chance(random, 0.5) ? random.pick(texts) : randomJson(random)
  const entries: [string, JsonValue][] = []
  for (const field of schema.fields) {
    if (!chance(random, depth === 0 ? 0.8 : 0.3)) continue
    entries.push([
      chance(random, 0.97) ? field.jsonName : field.name,
      chance(random, 0.06) ? randomJson(random) : randomField(random, field, depth),
    ])
  }
  if (chance(random, 0.03)) entries.push([random.pick(texts), randomJson(random)])
  return Object.fromEntries(entries)
}

/** Any value, of no kind in particular. */
export function randomJson(random: Seeded): JsonValue {
  const kind = random.below(4)
  return kind === 0 ? random.pick(texts) : kind === 1 ? random.pick(numbers) : random.pick(oddities)
}

/** The value with some of its parts replaced, lost, doubled or moved. */
export function mutatedJson(random: Seeded, value: JsonValue): JsonValue {
  if (chance(random, 0.08)) return randomJson(random)
  if (Array.isArray(value)) {
    const parts = value.flatMap((part) => (chance(random, 0.08) ? [] : [mutatedJson(random, part)]))
    return chance(random, 0.08) ? [...parts, ...parts, randomJson(random)] : parts
  }
  if (typeof value !== 'object' || value === null) return value
  const pairs = Object.entries(value).flatMap(([key, part]): [string, JsonValue][] =>
    chance(random, 0.06) ? [] : [[chance(random, 0.03) ? random.pick(texts) : key, mutatedJson(random, part)]],
  )
  return Object.fromEntries(chance(random, 0.05) ? [...pairs, [random.pick(texts), randomJson(random)]] : pairs)
}

function randomField(random: Seeded, field: DescField, depth: number): JsonValue {
  if (field.fieldKind === 'list')
    return Array.from({ length: random.below(3) }, () =>
      field.listKind === 'message' ? below(random, field.message, depth) : leaf(random, field),
    )
  if (field.fieldKind === 'map')
    return Object.fromEntries(
      Array.from({ length: random.below(3) }, () => [
        random.pick(texts),
        field.mapKind === 'message' ? below(random, field.message, depth) : leaf(random, field),
      ]),
    )
  return field.fieldKind === 'message' ? below(random, field.message, depth) : leaf(random, field)
}

function below(random: Seeded, schema: DescMessage, depth: number): JsonValue {
  return depth > 4 ? {} : randomMessage(random, schema, depth + 1)
}

function leaf(random: Seeded, field: DescField): JsonValue {
  if (field.enum !== undefined) return chance(random, 0.8) ? (random.pick(field.enum.values)?.name ?? '') : random.pick(numbers)
  if (field.scalar === 8) return chance(random, 0.5)
  return field.scalar === 9 || field.scalar === 12 ? random.pick(texts) : random.pick(numbers)
}

/** True in `share` of the cases. */
export function chance(random: Seeded, share: number): boolean {
  return random.below(1000) < share * 1000
}
