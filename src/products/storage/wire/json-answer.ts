import type { FastifyReply, FastifyRequest } from 'fastify'
import { Turn } from '../../../base/turn.ts'
import { readMask, select } from './fields.ts'
import { queryOf } from './query.ts'

/** Sends a resource, cut to what `fields` asks for. @throws CloudError INVALID_ARGUMENT */
export async function sendJson(request: FastifyRequest, reply: FastifyReply, answer: object, turn = new Turn()): Promise<FastifyReply> {
  const text = await toText(answer, queryOf(request).get('fields') ?? undefined, turn)
  return reply.type('application/json; charset=UTF-8').send(text)
}

/** A list's items are written one by one, over several turns where they are large. */
async function toText(answer: object, fields: string | undefined, turn: Turn): Promise<string> {
  const mask = fields === undefined ? undefined : readMask(fields)
  const items: unknown = 'items' in answer ? answer.items : undefined
  if (!Array.isArray(items)) return JSON.stringify(select(answer, mask))
  const head = select({ ...answer, items: [] }, mask) as object
  if (!('items' in head)) return JSON.stringify(head)
  const { items: _none, ...rest } = head
  const told: string[] = []
  for (const item of items as readonly unknown[]) {
    const { items: one } = select({ items: [item] }, mask) as { readonly items: readonly unknown[] }
    told.push(JSON.stringify(one[0]))
    if (turn.isOver) await turn.next()
  }
  const start = JSON.stringify(rest)
  return `${start.slice(0, -1)}${start === '{}' ? '' : ','}"items":[${told.join(',')}]}`
}
