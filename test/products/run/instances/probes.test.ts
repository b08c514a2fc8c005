import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { ContainerSchema, type Container } from '../../../../src/api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import {
  checkProbes,
  count,
  defaultStartupProbe,
  failureLine,
  noAnswers,
  probeOf,
  type Tally,
} from '../../../../src/products/run/instances/probes.ts'

/** `f` failed, `p` passed; the verdict after each. */
function verdicts(answers: string, failureThreshold: number, successThreshold: number): string {
  let tally: Tally = noAnswers
  return [...answers]
    .map((answer) => {
      tally = count({ failureThreshold, successThreshold }, tally, answer === 'p')
      return tally.verdict
    })
    .join(' ')
}

test('a probe fails at so many failures in a row, and the first success is one', () => {
  expect(verdicts('ffp', 3, 1)).toBe('none none succeeded')
  expect(verdicts('fpffpfff', 3, 1)).toBe('none succeeded succeeded succeeded succeeded succeeded succeeded failed')
})

test('what has failed must succeed as often as its threshold says', () => {
  expect(verdicts('pffpfpp', 2, 2)).toBe('succeeded succeeded failed failed failed failed succeeded')
})

const container = (probes: object): Container => create(ContainerSchema, { name: 'app', ...probes })

test('defaults are 0, 1, 10 and 3, and the port of the container', () => {
  expect(probeOf('startup', container({ startupProbe: {} }), 8080)).toEqual({
    kind: 'startup',
    container: 'app',
    how: { kind: 'tcp', port: 8080 },
    initialDelayMs: 0,
    timeoutMs: 1000,
    periodMs: 10_000,
    failureThreshold: 3,
    successThreshold: 1,
  })
  const http = container({ readinessProbe: { probeType: { case: 'httpGet', value: {} } } })
  expect(probeOf('readiness', http, 80)).toMatchObject({ how: { kind: 'http', port: 80, path: '/' }, successThreshold: 2 })
  expect(probeOf('liveness', http, 80)).toBeUndefined()
})

test('run trap 42: the probe of who names none waits 240 s for the port, once', () => {
  expect(defaultStartupProbe('app', 8080)).toMatchObject({ timeoutMs: 240_000, periodMs: 240_000, failureThreshold: 1 })
})

test('limits are those of Cloud Run', () => {
  const check = (probes: object) => () => checkProbes(container(probes), 'template.containers[0]')
  expect(check({ startupProbe: { timeoutSeconds: 240, periodSeconds: 240, failureThreshold: 1 } })).not.toThrow()
  expect(check({ startupProbe: { timeoutSeconds: 11 } })).toThrow('startup_probe.timeout_seconds: must be less than period_seconds')
  expect(check({ startupProbe: { periodSeconds: 81 } })).toThrow('failure_threshold * period_seconds must be at most 240')
  expect(check({ startupProbe: { initialDelaySeconds: 241 } })).toThrow('initial_delay_seconds: must be between 0 and 240')
  expect(check({ startupProbe: { periodSeconds: 241 } })).toThrow('period_seconds: must be between 1 and 240')
  const http = { probeType: { case: 'httpGet', value: {} } }
  expect(check({ livenessProbe: { ...http, periodSeconds: 3600 } })).not.toThrow()
  expect(check({ livenessProbe: { ...http, initialDelaySeconds: 3601 } })).toThrow('between 0 and 3600')
  expect(check({ livenessProbe: { probeType: { case: 'tcpSocket', value: {} } } })).toThrow('must be an HTTP or a gRPC probe')
})

test.each(['tcpSocket', 'httpGet', 'grpc'] as const)('a port that no socket has is refused: %s', (kind) => {
  const check = (port: number) => () => checkProbes(container({ startupProbe: { probeType: { case: kind, value: { port } } } }), 'c')
  expect(check(65_535)).not.toThrow()
  expect(check(0), 'the port of the container').not.toThrow()
  expect(check(900_000)).toThrow(/^c\.startup_probe\.\w+\.port: must be between 1 and 65535, inclusive, but is 900000\.$/)
  expect(check(-1)).toThrow('but is -1.')
})

test('a failure is told in the words of the log', () => {
  const plan = probeOf('liveness', container({ livenessProbe: { probeType: { case: 'httpGet', value: { path: '/live' } } } }), 8080)
  expect(plan && failureLine(plan, 3)).toBe(
    'LIVENESS HTTP probe failed 3 times consecutively for container "app" on port 8080. The instance has been shut down.',
  )
  expect(failureLine(defaultStartupProbe('app', 80), 1)).toBe(
    'STARTUP TCP probe failed 1 time consecutively for container "app" on port 80. The instance was not started.',
  )
})
