import { create } from '@bufbuild/protobuf'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PolicySchema } from '../../../../src/api/gen/google/iam/v1/policy_pb.ts'
import { openTokens, type Tokens } from '../../../../src/metadata/tokens.ts'
import { gcloudAudience, invokerGate, invokersOf, type InvokerRules } from '../../../../src/products/run/services/invoker.ts'
import type { Admission, GateRequest } from '../../../../src/router/upstream.ts'
import { openState, type State } from '../../../../src/state/state.ts'

const url = 'https://web-abc-uc.a.run.app'
const robot = 'robot@p.iam.gserviceaccount.com'
const ann = 'ann@example.com'
const hour = 3_600_000

describe('the invoker check', () => {
  let state: State
  let tokens: Tokens
  let nowMs = 1_764_000_000_000
  beforeAll(async () => {
    state = openState(join(mkdtempSync(join(tmpdir(), 'dc-invoker-')), 'state'), [])
    tokens = await openTokens({ state, clock: { nowMs: () => nowMs, ticksMs: () => nowMs } })
  })
  afterAll(async () => await state[Symbol.asyncDispose]())

  const ask = (request: Partial<GateRequest>, rules: Partial<InvokerRules> = {}): Admission | Promise<Admission> => {
    const gate = invokerGate(
      {
        service: 'web',
        ingress: 'all',
        isOpen: false,
        members: new Set([`serviceAccount:${robot}`]),
        audiences: new Set([url, 'https://custom']),
        readIdToken: (token) => tokens.readIdToken(token),
        ...rules,
      },
      () => nowMs,
    )
    return gate?.({ authorization: '', serverlessAuthorization: '', target: '/a?<b>', origin: 'front', ...request }) ?? { kind: 'pass' }
  }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const refused = (status: number) => expect.objectContaining({ kind: 'refuse', status })

  test('run trap 26: no token is 403, garbage 401, another audience 401, no role 403', async () => {
    expect(ask({})).toEqual(refused(403))
    expect(ask({})).toMatchObject({
      html: expect.stringContaining('does not have permission to get URL <code>/a?&#60;b&#62;</code> from this server'),
    })
    for (const authorization of ['Bearer garbage', 'Bearer a.b.c', 'Basic YTpi', 'Bearer'])
      expect(ask({ authorization })).toEqual(refused(401))
    expect(ask(bearer('a.b.c'))).toMatchObject({
      html: expect.stringContaining('The access token could not be verified.'),
      wwwAuthenticate: expect.stringContaining('invalid_token'),
    })
    expect(ask(bearer(tokens.accessToken(robot).token))).toEqual(refused(401))
    expect(ask(bearer(await tokens.idToken(robot, 'https://other')))).toEqual(refused(401))
    expect(ask(bearer(await tokens.idToken('other@p.iam.gserviceaccount.com', url)))).toEqual(refused(403))
    for (const audience of [url, `${url}/`, 'https://custom'])
      expect(ask(bearer(await tokens.idToken(robot, audience)))).toMatchObject({ kind: 'pass' })
  })

  test('run trap 25: the checked header reaches the application without its signature, and the other one untouched', async () => {
    const token = await tokens.idToken(robot, url)
    const unsigned = `Bearer ${token.split('.').slice(0, 2).join('.')}.SIGNATURE_REMOVED_BY_GOOGLE`
    expect(ask(bearer(token))).toEqual({ kind: 'pass', replace: { authorization: unsigned } })
    const both = { authorization: 'Bearer of-the-application', serverlessAuthorization: `bearer ${token}` }
    expect(ask(both)).toEqual({ kind: 'pass', replace: { 'x-serverless-authorization': unsigned } })
    expect(ask({ ...bearer(token), serverlessAuthorization: 'Bearer garbage' })).toEqual(refused(401))
  })

  test("gcloud's client id is an audience for a person, and not for a service account", async () => {
    const members = new Set([`user:${ann}`, `serviceAccount:${robot}`])
    expect(ask(bearer(await tokens.idToken(ann, gcloudAudience)), { members })).toMatchObject({ kind: 'pass' })
    expect(ask(bearer(await tokens.idToken(robot, gcloudAudience)), { members })).toEqual(refused(401))
  })

  test('a token that is over, of another key, of another issuer or of no algorithm is none (S12)', async () => {
    const token = await tokens.idToken(robot, url)
    expect(ask(bearer(token))).toMatchObject({ kind: 'pass' })
    const [head = '', body = ''] = token.split('.')
    const kid = (JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string }).kid
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const foreign = `${head}.${body}`
    expect(ask(bearer(`${foreign}.${sign('sha256', Buffer.from(foreign), privateKey).toString('base64url')}`))).toEqual(refused(401))
    const none = `${part({ alg: 'none', kid })}.${body}`
    expect(ask(bearer(`${none}.x`))).toEqual(refused(401))
    const symmetric = `${part({ alg: 'HS256', kid })}.${body}`
    const hmac = createHmac('sha256', Object.values(tokens.certs())[0] ?? '')
      .update(symmetric)
      .digest('base64url')
    expect(ask(bearer(`${symmetric}.${hmac}`))).toEqual(refused(401))
    nowMs += hour
    expect(ask(bearer(token))).toEqual(refused(401))
  })

  test('a remembered token is over when its hour is', async () => {
    const gate = invokerGate(
      { service: 'web', ingress: 'all', isOpen: false, members: new Set(['allAuthenticatedUsers']), audiences: new Set([url]), readIdToken: (token) => tokens.readIdToken(token) }, // prettier-ignore
      () => nowMs,
    )
    const request = { ...bearer(await tokens.idToken(robot, url)), serverlessAuthorization: '', target: '/', origin: 'front' as const }
    expect(gate?.(request)).toMatchObject({ kind: 'pass' })
    nowMs += hour - 1000
    expect(gate?.(request)).toMatchObject({ kind: 'pass' })
    nowMs += 1000
    expect(gate?.(request)).toEqual(refused(401))
  })

  test('an account that is disabled is let in no more', async () => {
    const token = await tokens.idToken(robot, url)
    await tokens.suspend(robot, true)
    expect(ask(bearer(token))).toEqual(refused(401))
    await tokens.suspend(robot, false)
    expect(ask(bearer(token))).toMatchObject({ kind: 'pass' })
  })

  test('ingress is asked first, and writes no log', () => {
    const open = { isOpen: true, ingress: 'instances' as const }
    expect(ask({ origin: 'front' }, open)).toMatchObject({ status: 404, isUnlogged: true })
    expect(ask({ origin: 'instance' }, open)).toEqual({ kind: 'pass' })
    expect(ask({ origin: 'instance' }, { isOpen: true, ingress: 'none' })).toMatchObject({ status: 404 })
  })

  test('a service that is open to all has no gate at all', () => {
    const rules = { service: 'web', ingress: 'all' as const, isOpen: true, members: new Set<string>(), audiences: new Set<string>() }
    expect(invokerGate({ ...rules, readIdToken: () => undefined }, () => 0)).toBeUndefined()
  })

  test.each([
    ['user', ['user:Ann@example.com'], ann, true],
    ['domain', ['domain:example.com'], ann, true],
    ['a domain within another', ['domain:ample.com'], ann, false],
    ['a person who is no service account', [`serviceAccount:${ann}`], ann, false],
    ['any account', ['allAuthenticatedUsers'], ann, true],
    ['nobody', [], ann, false],
  ])('members: %s', async (_what, told, email, isIn) => {
    const policy = create(PolicySchema, { bindings: [{ role: 'roles/run.invoker', members: told }] })
    const admission = ask(bearer(await tokens.idToken(email, url)), { members: invokersOf([policy]) })
    expect(admission).toMatchObject({ kind: isIn ? 'pass' : 'refuse' })
  })

  test('roles that hold run.routes.invoke count, others and conditional bindings do not', () => {
    const condition = { title: 'x', expression: 'true' }
    const policy = create(PolicySchema, {
      bindings: [
        { role: 'roles/editor', members: ['user:a@b'] },
        { role: 'roles/run.viewer', members: ['user:c@d'] },
        { role: 'roles/run.invoker', members: ['user:e@f'], condition },
      ],
    })
    expect([...invokersOf([policy])]).toEqual(['user:a@b'])
  })
})
