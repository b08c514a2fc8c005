import { expect, test } from 'vitest'
import { checkShell, type ShellFacts } from '../../src/cli/shell-checks.ts'

const led = { HTTPS_PROXY: 'http://127.0.0.1:4000', CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: '/state/access-token' }
const warnings = (facts: Partial<ShellFacts>) =>
  checkShell({ env: led, nodeVersion: 'v26.1.0', loginPath: undefined, ...facts })
    .filter(({ state }) => state === 'warning')
    .map(({ name, fix }) => [name, fix])

test('a shell that is led has what is not named with its remedy; one that is not led is told how', () => {
  expect(warnings({})).toEqual([])
  expect(warnings({ nodeVersion: 'v22.21.0' })).toEqual([])
  expect(warnings({ nodeVersion: undefined })).toEqual([])
  expect(warnings({ nodeVersion: 'v20.20.2' })).toEqual([['node', 'eval "$(devcloud env --endpoints)", or Node 22.21 or newer']])
  expect(warnings({ loginPath: '/h/adc.json' })).toEqual([['credentials', "mv '/h/adc.json' '/h/adc.json.away'"]])
  expect(warnings({ env: { ...led, GOOGLE_APPLICATION_CREDENTIALS: '/k.json' } })).toEqual([
    ['credentials', 'unset GOOGLE_APPLICATION_CREDENTIALS'],
  ])
  expect(checkShell({ env: {}, nodeVersion: 'v20.0.0', loginPath: '/h/adc.json' })).toEqual([
    expect.objectContaining({ name: 'shell', detail: expect.stringContaining('eval "$(devcloud env)"') as string }),
  ])
})
