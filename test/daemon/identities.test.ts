import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { openIdentities } from '../../src/daemon/identities.ts'
import { schema } from '../../src/daemon/schema.ts'
import { openOwnerCheck } from '../../src/daemon/owner-check.ts'
import type { Container, Engine } from '../../src/engine/engine.ts'
import { openState } from '../../src/state/state.ts'
import { freshDirectory } from '../state/given-state.ts'

test('a container is answered as a service account alone, whatever an older devcloud wrote on it', async () => {
  await using state = openState(freshDirectory(), schema)
  const containerOf = (ip: string, serviceAccount: string) => ({ id: ip, project: 'shop', ip, serviceAccount }) as unknown as Container
  const containers = [containerOf('10.0.0.1', 'you@devcloud.local'), containerOf('10.0.0.2', 'web@shop.iam.gserviceaccount.com')]
  const told: string[] = []
  await using identities = openIdentities({
    state,
    handler: (_request, _response, { email }) => void told.push(email),
    ownerCheck: openOwnerCheck(true),
    enginesOf: async () => [{ list: async () => containers } as unknown as Engine],
    defaultAccount: () => 'default@shop.iam.gserviceaccount.com',
  })
  for (const ip of ['10.0.0.1', '10.0.0.2']) {
    await identities.answer({} as IncomingMessage, {} as ServerResponse, { project: 'shop', ip })
  }
  expect(told).toEqual(['default@shop.iam.gserviceaccount.com', 'web@shop.iam.gserviceaccount.com'])
})
