import type { Reporter, TestCase, TestModule } from 'vitest/node'

const most = 20
/** What takes less is not worth a line. */
const leastMs = 1000

/** Ends a run with the files and tests that took longest, and with the tests that passed only when they were tried again. */
export class SlowestReporter implements Reporter {
  readonly #write: (text: string) => void

  constructor(write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const files = modules.map((module) => ({ ms: msOf(module), text: module.relativeModuleId }))
    const cases = tests.map((test) => ({ ms: test.diagnostic()?.duration ?? 0, text: nameOf(test) }))
    const flaky = tests.filter((test) => test.diagnostic()?.flaky === true).map(nameOf)
    this.#write(slowestText({ files, cases, flaky }))
  }
}

interface Timed {
  readonly ms: number
  readonly text: string
}

/** The text of the report; empty when nothing took long. Pure. */
export function slowestText(run: {
  readonly files: readonly Timed[]
  readonly cases: readonly Timed[]
  readonly flaky: readonly string[]
}) {
  const parts = [
    ['Slowest files', slowest(run.files)],
    ['Slowest tests', slowest(run.cases)],
    ['Passed when tried again', run.flaky.map((name) => `          ${name}`)],
  ] as const
  return parts.map(([title, lines]) => (lines.length === 0 ? '' : `\n ${title}\n${lines.join('\n')}\n`)).join('')
}

function slowest(all: readonly Timed[]): string[] {
  return all
    .filter(({ ms }) => ms >= leastMs)
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, most)
    .map(({ ms, text }) => `${(ms / 1000).toFixed(1).padStart(8)} s ${text}`)
}

/** With its hooks, and the making of what its tests share. */
function msOf(module: TestModule): number {
  const { duration, collectDuration } = module.diagnostic()
  return duration + collectDuration
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId}: ${test.fullName}`
}
