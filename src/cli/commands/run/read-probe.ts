import { readPairs, usage, type Given } from './flag-values.ts'
import type { ProbeJson } from './run-json.ts'

const numbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'failureThreshold'] as const
const kinds: Readonly<Record<string, 'httpGet' | 'tcpSocket' | 'grpc'>> = {
  'httpGet.port': 'httpGet',
  'httpGet.path': 'httpGet',
  'grpc.port': 'grpc',
  'grpc.service': 'grpc',
  'tcpSocket.port': 'tcpSocket',
}

/** `timeoutSeconds=10,httpGet.port=8080,httpGet.path=/up`; undefined for an empty text, which takes the probe away. @throws CloudError USAGE */
export function readProbe(given: Given): ProbeJson | undefined {
  const pairs = readPairs(given)
  if (pairs.length === 0) return undefined
  const probe: ProbeJson = {}
  for (const [key, value] of pairs) {
    const field = numbers.find((number) => number === key)
    const kind = kinds[key]
    if (field !== undefined) probe[field] = whole(given, key, value)
    else if (kind !== undefined) {
      const part = key.split('.')[1] ?? ''
      probe[kind] = { ...probe[kind], [part]: part === 'port' ? whole(given, key, value) : value }
    } else {
      throw usage(
        `argument --${given.flag}: "${key}" is no field of a probe.`,
        `There are: ${[...numbers, ...Object.keys(kinds)].join(', ')}.`,
      )
    }
  }
  const chosen = [probe.httpGet, probe.tcpSocket, probe.grpc].filter((kind) => kind !== undefined)
  if (chosen.length !== 1) {
    throw usage(
      `argument --${given.flag}: a probe is one of httpGet, tcpSocket and grpc.`,
      'Write for example httpGet.path=/up,httpGet.port=8080.',
    )
  }
  return probe
}

function whole({ flag }: Given, key: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value)
  throw usage(`argument --${flag}: ${key} must be a whole number, not "${value}".`, `Write ${key}=10.`)
}
