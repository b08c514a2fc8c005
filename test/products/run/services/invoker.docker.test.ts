import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, givenRun, type GivenRun } from '../given-run.ts'

describe('who may call', { timeout: 120_000 }, () => {
  let run: GivenRun
  beforeAll(async () => {
    run = await givenRun({ isPrivate: true })
  }, 120_000)
  afterAll(async () => await run[Symbol.asyncDispose]())

  const setInvokers = (service: string, members: readonly string[]) =>
    run.house.api.call('POST', `https://run.googleapis.com/v2/${run.parent}/services/${service}:setIamPolicy`, {
      policy: { bindings: [{ role: 'roles/run.invoker', members }] },
    })
  const robot = (name: string) => `${name}@${run.project}.iam.gserviceaccount.com`
  const withToken = (token: string, name = 'authorization') => ({ headers: { [name]: `Bearer ${token}` } })

  test('run trap 26: a service is private until a binding opens it, and at once', async () => {
    const { uri } = await run.deploy('private')
    const { tokens } = run.house.foundation
    expect(await run.ask('private', '/id')).toMatchObject({
      status: 403,
      body: expect.stringContaining('devcloud run services proxy private'),
    })
    const token = await tokens.idToken(robot('caller'), String(uri))
    expect(await run.ask('private', '/id', withToken(token))).toMatchObject({ status: 403 })
    expect(await run.ask('private', '/id', withToken('garbage'))).toMatchObject({ status: 401 })
    await setInvokers('private', [`serviceAccount:${robot('caller')}`])
    expect(await run.ask('private', '/id', withToken(token))).toMatchObject({ status: 200 })
    await setInvokers('private', ['allUsers'])
    expect(await run.ask('private', '/id')).toMatchObject({ status: 200 })
    await setInvokers('private', [])
    expect(await run.ask('private', '/id')).toMatchObject({ status: 403 })
    await run.call('PATCH', `${run.parent}/services/private?updateMask=invokerIamDisabled`, { invokerIamDisabled: true })
    expect(await run.ask('private', '/id')).toMatchObject({ status: 200 })
  })

  test('run trap 25: the application sees the token without its signature', async () => {
    const { uri } = await run.deploy('echo', { template: { serviceAccount: robot('echo') } })
    await setInvokers('echo', [`serviceAccount:${robot('caller')}`])
    const token = await run.house.foundation.tokens.idToken(robot('caller'), String(uri))
    const seen = await run.ask('echo', '/headers', withToken(token))
    expect(JSON.parse(seen.body)).toMatchObject({
      authorization: `Bearer ${token.split('.').slice(0, 2).join('.')}.SIGNATURE_REMOVED_BY_GOOGLE`,
    })
    const headers = { authorization: 'Bearer mine', 'x-serverless-authorization': `Bearer ${token}` }
    expect(JSON.parse((await run.ask('echo', '/headers', { headers })).body)).toMatchObject({ authorization: 'Bearer mine' })
  })

  test('run trap 49: two services have accounts of their own, and one calls the other by its URL with an ID token', async () => {
    const callee = await run.deploy('callee', { template: { serviceAccount: robot('callee') } })
    await run.deploy('friend', { template: { serviceAccount: robot('friend') } })
    await run.deploy('stranger', { template: { serviceAccount: robot('stranger') } })
    await setInvokers('friend', ['allUsers'])
    await setInvokers('stranger', ['allUsers'])
    await setInvokers('callee', [`serviceAccount:${robot('friend')}`])
    const fetchBy = async (service: string, url: string, headers: object = {}) =>
      (await run.ask(service, `/fetch?url=${encodeURIComponent(url)}&headers=${encodeURIComponent(JSON.stringify(headers))}`)).body
    const metadata = (service: string, path: string) =>
      fetchBy(service, `http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/${path}`, {
        'Metadata-Flavor': 'Google',
      })
    expect(await metadata('friend', 'email')).toBe(`200 ${robot('friend')}`)
    expect(await metadata('stranger', 'email')).toBe(`200 ${robot('stranger')}`)
    const url = `${String(callee['uri'])}/id`
    const callWithToken = async (service: string) => {
      const token = (await metadata(service, `identity?audience=${encodeURIComponent(String(callee['uri']))}`)).replace('200 ', '')
      return fetchBy(service, url, { authorization: `Bearer ${token}` })
    }
    expect(await callWithToken('friend')).toMatch(/^200 [\w-]{36}$/)
    expect(await callWithToken('stranger')).toMatch(/^403 /)
    expect(await fetchBy('friend', url)).toMatch(/^403 /)
  })

  test('ingress lets requests of instances in and those from outside not, without a line of log', async () => {
    const inner = await run.deploy('inner', { service: { ingress: 'INGRESS_TRAFFIC_INTERNAL_ONLY', invokerIamDisabled: true } })
    await run.deploy('outer', { service: { invokerIamDisabled: true } })
    using log = run.follow('inner')
    expect(await run.ask('inner', '/id')).toMatchObject({ status: 404, body: expect.stringContaining('ingress') })
    const { body } = await run.ask('outer', `/fetch?url=${encodeURIComponent(`${String(inner['uri'])}/id`)}`)
    expect(body).toMatch(/^200 /)
    await eventually('the log of the request that was let in', () => log.events.some(({ kind }) => kind === 'request'))
    expect(log.text()).not.toContain('404')
  })
})
