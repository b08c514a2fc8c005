import { create, createFileRegistry, type DescMessage, type Message } from '@bufbuild/protobuf'
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import * as z from 'zod'
import { checkProject } from '../../src/api/names.ts'
import { created, type ProductPlan, type Site } from '../../src/api/product-plan.ts'
import { service, type Product, type ProductOffer } from '../../src/api/product.ts'
import { CloudError } from '../../src/base/cloud-error.ts'
import { lastPart } from '../../src/base/last-part.ts'
import { initYaml } from '../../src/config/init-yaml.ts'
import type { Place } from '../../src/config/place.ts'
import { strict } from '../../src/config/schema-parts.ts'
import { section } from '../../src/config/section.ts'
import type { Foundation } from '../../src/daemon/foundation.ts'
import { jsonKind } from '../../src/state/resource-kind.ts'
import { openResources } from '../../src/state/resources.ts'

/*
 * A whole product in one file, from outside src: the example of docs/adding-a-product.md. Its API has one resource, a toy with a colour.
 */

// 1. The proto. A product of Google's has it generated: buf.gen.yaml.
const { STRING, MESSAGE } = FieldDescriptorProto_Type
const field = (name: string, number: number, typeName?: string, isRepeated = false) => ({
  name,
  jsonName: name.replace('_id', 'Id'),
  number,
  type: typeName === undefined ? STRING : MESSAGE,
  label: isRepeated ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
  ...(typeName !== undefined && { typeName }),
})
const method = (name: string, inputType: string, outputType: string) => ({
  name,
  inputType: `.toys.v1.${inputType}`,
  outputType: `.toys.v1.${outputType}`,
})
const file = create(FileDescriptorProtoSchema, {
  name: 'toys.proto',
  package: 'toys.v1',
  syntax: 'proto3',
  messageType: [
    { name: 'Toy', field: [field('name', 1), field('color', 2)] },
    { name: 'CreateToyRequest', field: [field('parent', 1), field('toy_id', 2), field('toy', 3, '.toys.v1.Toy')] },
    { name: 'GetToyRequest', field: [field('name', 1)] },
    { name: 'ListToysRequest', field: [field('parent', 1)] },
    { name: 'ListToysResponse', field: [field('toys', 1, '.toys.v1.Toy', true)] },
  ],
  service: [
    {
      name: 'Toys',
      method: [
        method('CreateToy', 'CreateToyRequest', 'Toy'),
        method('GetToy', 'GetToyRequest', 'Toy'),
        method('ListToys', 'ListToysRequest', 'ListToysResponse'),
      ],
    },
  ],
})
const registry = createFileRegistry(file, () => undefined)
const toys = registry.getService('toys.v1.Toys')
const [toySchema, listSchema] = ['Toy', 'ListToysResponse'].map((name) => registry.getMessage(`toys.v1.${name}`)) as [
  DescMessage,
  DescMessage,
]
if (toys === undefined) throw new Error('toys.proto has no service')

interface Toy {
  readonly name: string
  readonly color: string
}

// 2. How its resources are kept.
const toyKind = jsonKind<Toy>('toys.toy', ({ name }) => name)

// 3. Its section of devcloud.yaml.
interface WantedToys {
  readonly toys: readonly { readonly id: string; readonly color: string; readonly from: Place }[]
}
const keys = {
  toys: z
    .record(z.string(), strict({ color: z.string().describe('Its colour.') }))
    .optional()
    .describe('Toys.'),
}
const toySection = section<typeof keys, WantedToys>({
  product: 'toys',
  keys,
  async read({ told, document }) {
    const wanted = Object.entries(told.toys ?? {}).map(([id, { color }]) => ({ id, color, from: document.keyPlaceOf(['toys', id]) }))
    return { wanted: () => (wanted.length === 0 ? undefined : { toys: wanted }) }
  },
  describe: ({ toys: wanted }) => wanted.map(({ id, color, from }) => ({ name: `toy ${id}`, what: color, from })),
  init: (wanted) =>
    wanted === undefined ? '' : initYaml({ toys: Object.fromEntries(wanted.toys.map(({ id, color }) => [id, { color }])) }),
})

// 4. What is known of it before it is opened.
export const toyOffer = {
  name: 'toys',
  section: toySection,
  kinds: [toyKind],
  apis: { 'toys.googleapis.com': 'Toy API' },
  endpoints: (base) => ({ TOYS_EMULATOR_HOST: base.replace('http://', '') }),
} satisfies ProductOffer

// 5. The product itself.
export function openToys({ state }: Pick<Foundation, 'state'>): Product {
  const rows = openResources(state, toyKind, {
    missing: (name) => new CloudError('NOT_FOUND', `Toy [${name}] not found.`, `Create it: POST https://toys.googleapis.com/v1/${name}`),
  })
  const parts = (request: Message) => request as Message & Readonly<Record<'parent' | 'toyId' | 'name', string>> & { readonly toy?: Toy }
  return {
    ...toyOffer,
    hosts: ['toys.googleapis.com'],
    services: [
      {
        ...service(
          toys as NonNullable<typeof toys>,
          {
            async createToy(request: Message) {
              const { parent, toyId, toy } = parts(request)
              checkProject(lastPart(parent))
              const name = `${parent}/toys/${toyId}`
              if (rows.find(name) !== undefined)
                throw new CloudError('ALREADY_EXISTS', `Toy [${name}] already exists.`, 'Choose another id.')
              return create(toySchema, { ...(await rows.put({ name, color: toy?.color ?? '' })) } as never)
            },
            getToy: (request: Message) => create(toySchema, { ...rows.get(parts(request).name) } as never),
            listToys: (request: Message) =>
              create(listSchema, {
                toys: rows.list(`${parts(request).parent}/toys`).map((toy) => create(toySchema, { ...toy } as never)),
              } as never),
          } as never,
        ),
        rest: [
          { method: 'createToy', verb: 'POST', path: '/v1/{parent=projects/*}/toys', body: 'toy' },
          { method: 'getToy', verb: 'GET', path: '/v1/{name=projects/*/toys/*}' },
          { method: 'listToys', verb: 'GET', path: '/v1/{parent=projects/*}/toys' },
        ],
      },
    ],
    plan: (wanted, site) => planToys(wanted as WantedToys, site),
    list: async (project) =>
      rows.list(`projects/${project}/toys`).map(({ name, color }) => ({ kind: 'toy', id: lastPart(name), detail: color })),
    projects: () => rows.projects(),
    removeProject: (project) => rows.deleteBelow(`projects/${project}/toys`),
    async [Symbol.asyncDispose]() {},
  }
}

/** Observes by the product's own API, as any client would; decides; then makes what is missing. */
async function planToys(wanted: WantedToys, { api, project }: Site): Promise<ProductPlan> {
  const url = `https://toys.googleapis.com/v1/projects/${project}/toys`
  const found = new Set<string>()
  for (const { id } of wanted.toys) if ((await api.find(`${url}/${id}`)) !== undefined) found.add(id)
  return {
    steps: wanted.toys.map(({ id, from }) => ({
      id: `toy:${id}`,
      name: `toy ${id}`,
      stage: 'resource',
      after: [],
      ...(!found.has(id) && { cause: created(from) }),
    })),
    async execute({ name }) {
      const toy = wanted.toys.find(({ id }) => name === `toy ${id}`)
      if (toy === undefined || found.has(toy.id)) return 'kept'
      await api.call('POST', `${url}?toyId=${toy.id}`, { color: toy.color })
      return 'made'
    },
  }
}
