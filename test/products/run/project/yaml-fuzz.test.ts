import { expect, test } from 'vitest'
import { CloudError } from '../../../../src/base/cloud-error.ts'
import { wantedBodies } from '../../../../src/products/run/project/bodies.ts'
import { versionNotes } from '../../../../src/products/sql/plan.ts'
import { projectFolder } from '../../../config/project-folder.ts'
import { newPlanText, readWanted } from '../../../config/read-wanted.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_917)
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 200)

const files = {
  'devcloud.yaml': `project: fuzzed-shop
region: europe-west1
secrets:
  key: { value: canary-of-the-fuzz }
  made: { random: 32 }
instances:
  main: { version: POSTGRES_15, databases: [app, "other"], users: { app: { password: { secret: made } }, root: { password: canary-of-the-fuzz } } }
buckets: { pictures: { public: true } }
services:
  web:
    dir: .
    env: { A: canary-of-the-fuzz, B: { secret: key, version: 2 } }
    files: [{ mountPath: /secrets, secret: key, path: a/b }]
    instances: [main]
    port: 3000
    cpu: 1
    memory: 1Gi
    scaling: { min: 1, max: 3 }
    before: ["npm run migrate", [node, -e, "1"]]
jobs:
  nightly: { service: web, schedule: { cron: "0 3 * * *", timeZone: Europe/Berlin }, tasks: 3 }
`,
  'service.yaml': `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: web
  labels: { cloud.googleapis.com/location: europe-west1, team: blue }
  annotations: { run.googleapis.com/ingress: all, run.googleapis.com/launch-stage: BETA }
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/maxScale: '20'
        run.googleapis.com/vpc-access-connector: c
        run.googleapis.com/container-dependencies: '{"web":["proxy"]}'
    spec:
      containerConcurrency: 40
      containers:
        - name: web
          image: i
          ports: [{ name: h2c, containerPort: 3000 }]
          env: [{ name: A, valueFrom: { secretKeyRef: { name: key, key: latest } } }]
          startupProbe: { timeoutSeconds: 5, tcpSocket: { port: 3000 } }
          volumeMounts: [{ name: m, mountPath: /m }]
        - { name: proxy, image: p, resources: { limits: { cpu: 500m, memory: 256Mi } } }
      volumes: [{ name: m, emptyDir: { medium: Memory, sizeLimit: 64Mi } }]
  traffic: [{ percent: 100, latestRevision: true }]
`,
  'job.yaml': `apiVersion: run.googleapis.com/v1
kind: Job
metadata: { name: other, annotations: { run.googleapis.com/launch-stage: GA } }
spec:
  template:
    metadata: { annotations: { run.googleapis.com/execution-environment: gen2 } }
    spec:
      taskCount: 2
      template:
        spec:
          maxRetries: 1
          timeoutSeconds: '60'
          containers: [{ image: j, command: [sh], env: [{ name: A, value: canary-of-the-fuzz }] }]
`,
} as const

/** What is put in somewhere. */
const hostile = ['null', '~', '""', '{}', '[]', '[[[]]]', '1e999', '-1', '0', '99999999999999999999', '.nan', 'true', '2026-01-01', '!!binary x', '!!set {a, b}', '__proto__', 'constructor', '<<', '*a', '&a', '&a *a', '? ', ': ', '- ', '|', '>', '#', '%YAML 9', '---', '...', '	', '\0', '\r', '\u2028', '﻿', '$(touch x)', '`id`', ';id', '../../x', '{{x}}', '😀', '‮', 'a'.repeat(5e3), `${'['.repeat(40)}${']'.repeat(40)}`, '{a: '.repeat(30), '{ __proto__: { polluted: 1 } }', '{ toString: 1 }', '"\\u0000"', '\'', '"', '[{}, null, 1]', 'run.googleapis.com/x', 'name: name'] // prettier-ignore

function mutate(text: string, random: () => number): string {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const lines = text.split('\n')
  const at = Math.floor(random() * lines.length)
  const line = lines[at] ?? ''
  const column = Math.floor(random() * (line.length + 1))
  const kinds: readonly (() => string)[] = [
    () => line.slice(0, column) + pick(hostile) + line.slice(column),
    () => line.slice(0, column) + line.slice(column + 1 + Math.floor(random() * 6)),
    () => line.replace(/: .*$/, `: ${pick(hostile)}`),
    () => line.replace(/[\w.-]+(?=:)/, pick(hostile)),
    () => `${' '.repeat(Math.floor(random() * 6))}${line}`,
    () => line.replace(/^ {1,3}/, ''),
    () => `${line}\n${pick(lines)}`,
    () => '',
    () => line.replaceAll(/\d+/g, String(Math.floor(random() * 1e6) - 1000)),
  ]
  lines[at] = pick(kinds)()
  return lines.join('\n')
}

/** mulberry32: the same numbers from the same seed, everywhere. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

test.each(Object.keys(files) as (keyof typeof files)[])(
  'S23: %s, mutated, gives a plan or one-line problems with their places, never anything else',
  async (file) => {
    await using folder = await projectFolder({ Dockerfile: 'FROM scratch\nCMD ["/app"]\n', ...files })
    const random = randomFrom(seed)
    const ends = { planned: 0, refused: 0 }
    for (let round = 0; round < rounds; round += 1) {
      let text: string = files[file]
      for (let count = 1 + Math.floor(random() * 3); count > 0; count -= 1) text = mutate(text, random)
      await folder.write({ [file]: text })
      const told = `FUZZ_SEED=${seed}, round ${round}:\n${text}`
      try {
        const wanted = await readWanted(folder.path)
        const plan = newPlanText(wanted, [...wantedBodies(wanted).notes, ...versionNotes(wanted)])
        expect(plan, told).not.toContain('canary-of-the-fuzz')
        ends.planned += 1
      } catch (error) {
        if (!(error instanceof CloudError)) throw new Error(`${String(error)} came of ${told}`, { cause: error })
        expect(['CONFIG_INVALID', 'NO_SERVICE'], told).toContain(error.fault)
        for (const line of error.evidence)
          expect(line, told).toMatch(/^((devcloud|service|job)\.yaml:\d+:\d+ {2}[^\n\r\0\u2028]+|and \d+ more)$/)
        expect(error.evidence.join('\n'), told).not.toContain('canary-of-the-fuzz')
        ends.refused += 1
      }
    }
    expect(ends.planned).toBeGreaterThan(rounds / 50) // not all is noise
    expect(ends.refused).toBeGreaterThan(rounds / 10)
    expect(({} as { readonly polluted?: number }).polluted).toBeUndefined()
  },
)
