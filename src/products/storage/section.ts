import { z } from 'zod'
import { rules } from '../../config/ids.ts'
import { commented, initYaml } from '../../config/init-yaml.ts'
import type { Place } from '../../config/place.ts'
import { strict, text } from '../../config/schema-parts.ts'
import { section, type Reading } from '../../config/section.ts'

export interface WantedBuckets {
  readonly buckets: readonly WantedBucket[]
}

export interface WantedBucket {
  readonly name: string
  readonly from: Place
  /** allUsers may read its objects. */
  readonly public: boolean
}

const bucket = strict({ public: z.boolean().optional().describe('Whether allUsers may read the objects of the bucket. Default: false.') })

const keys = {
  buckets: z
    .union([z.array(text(rules.bucket)), z.record(text(rules.bucket), bucket.nullable())])
    .nullish()
    .describe('Cloud Storage buckets: a list of names, or names with settings.'),
}

export const storageSection = section<typeof keys, WantedBuckets>({
  product: 'storage',
  keys,
  async read(reading) {
    const buckets = readBuckets(reading)
    return { wanted: () => (buckets.length === 0 ? undefined : { buckets }) }
  },
  describe: ({ buckets }) =>
    buckets.map(({ name, public: isPublic, from }) => ({ name: `bucket ${name}`, what: isPublic ? 'public' : 'private', from })),
  init: (wanted, { project }) =>
    [
      '\n# Cloud Storage buckets; of a public one everybody may read the objects.\n',
      wanted === undefined
        ? commented({ buckets: { [`${project}-uploads`]: { public: true } } })
        : initYaml({ buckets: Object.fromEntries(wanted.buckets.map(({ name, public: isPublic }) => [name, { public: isPublic }])) }),
    ].join(''),
})

function readBuckets({ told: { buckets }, document, problems }: Reading<typeof keys>): readonly WantedBucket[] {
  if (!Array.isArray(buckets)) {
    return Object.entries(buckets ?? {}).map(([name, wanted]) => ({
      name,
      from: document.keyPlaceOf(['buckets', name]),
      public: wanted?.public ?? false,
    }))
  }
  return buckets.flatMap((name, index) => {
    const from = document.placeOf(['buckets', index])
    if (buckets.indexOf(name) === index) return [{ name, from, public: false }]
    problems.add(from, `the bucket "${name}" is here a second time; write it once`)
    return []
  })
}
