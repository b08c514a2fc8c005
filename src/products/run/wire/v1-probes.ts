import { isDeepStrictEqual } from 'node:util'
import { create } from '@bufbuild/protobuf'
import { ProbeSchema, type Probe } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { defaultPort, defaultStartupSeconds } from '../defaults.ts'
import { present, type Json, type V1Pod, type V1Probe } from './v1-schema.ts'

/** The probes of a container that are not Cloud Run's default. */
export function readProbes(container: NonNullable<V1Pod['containers']>[number]) {
  const { startupProbe, livenessProbe, readinessProbe } = container
  const port = container.ports?.[0]?.containerPort ?? defaultPort
  return {
    ...(startupProbe && !isDefaultProbe(startupProbe, port) && { startupProbe: fromProbe(startupProbe) }),
    ...(livenessProbe && { livenessProbe: fromProbe(livenessProbe) }),
    ...(readinessProbe && { readinessProbe: fromProbe(readinessProbe) }),
  }
}

/** What Cloud Run writes where a service has none (run trap 42): sent back, it still is none. */
export const defaultProbe = { timeoutSeconds: defaultStartupSeconds, periodSeconds: defaultStartupSeconds, failureThreshold: 1 }

function isDefaultProbe(probe: NonNullable<V1Probe>, port: number): boolean {
  const { timeoutSeconds, periodSeconds, failureThreshold, tcpSocket, initialDelaySeconds } = probe
  if (tcpSocket === undefined || tcpSocket === null || (tcpSocket.port ?? port) !== port || (initialDelaySeconds ?? 0) !== 0) return false
  return isDeepStrictEqual({ timeoutSeconds, periodSeconds, failureThreshold }, defaultProbe)
}

function fromProbe(probe: NonNullable<V1Probe>): Probe {
  const { httpGet, tcpSocket, grpc } = probe
  const made = create(ProbeSchema, {
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    timeoutSeconds: probe.timeoutSeconds ?? 0,
    periodSeconds: probe.periodSeconds ?? 0,
    failureThreshold: probe.failureThreshold ?? 0,
  })
  if (httpGet) {
    const httpHeaders = (httpGet.httpHeaders ?? []).map(({ name, value }) => ({ name, value: value ?? '' }))
    const action = create(ProbeSchema, {
      probeType: { case: 'httpGet', value: { path: httpGet.path ?? '', port: httpGet.port ?? 0, httpHeaders } },
    })
    made.probeType = action.probeType
  } else if (grpc) {
    made.probeType = create(ProbeSchema, {
      probeType: { case: 'grpc', value: { port: grpc.port ?? 0, service: grpc.service ?? '' } },
    }).probeType
  } else if (tcpSocket) {
    made.probeType = create(ProbeSchema, { probeType: { case: 'tcpSocket', value: { port: tcpSocket.port ?? 0 } } }).probeType
  }
  return made
}

/** The way back. */
export function writeProbe(probe: Probe | undefined): Json | undefined {
  if (probe === undefined) return undefined
  const { initialDelaySeconds, timeoutSeconds, periodSeconds, failureThreshold, probeType } = probe
  const numbers = Object.entries({ initialDelaySeconds, timeoutSeconds, periodSeconds, failureThreshold }).filter(
    ([, value]) => value !== 0,
  )
  const { case: kind, value } = probeType
  const port = (number: number) => (number === 0 ? {} : { port: number })
  const action =
    kind === 'httpGet'
      ? {
          httpGet: {
            ...present({ path: value.path, httpHeaders: value.httpHeaders.map(({ name, value: text }) => ({ name, value: text })) }),
            ...port(value.port),
          },
        }
      : kind === 'grpc'
        ? { grpc: { ...present({ service: value.service }), ...port(value.port) } }
        : kind === 'tcpSocket'
          ? { tcpSocket: port(value.port) }
          : {}
  return { ...Object.fromEntries(numbers), ...action }
}
