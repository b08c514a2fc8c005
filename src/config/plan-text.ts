import type { Described, Section } from './section.ts'
import type { Wanted } from './wanted.ts'

/** What is asked for and not had. */
export interface Note {
  /** `service web` */
  readonly resource: string
  readonly text: string
}

/** Every resource that a project wants, in the order of the sections. */
export function describeProject({ parts, directory }: Wanted, sections: readonly Section[]): readonly Described[] {
  return sections.flatMap((section) => (parts[section.product] === undefined ? [] : section.describe(parts[section.product], directory)))
}

/** What would be done to a project, beside what its files want. */
export interface PlannedSteps {
  /** `cause` is absent where everything is kept. */
  readonly steps: readonly { readonly name: string; readonly cause?: string }[]
  /** False for a project that was taken down. */
  readonly isUp: boolean
  readonly notes: readonly Note[]
}

/**
 * What `devcloud up` would do, a line each. A resource that is made stands with the line of the file that says so and with its parts, one that
 * changes with the cause. What is kept is not told. The same state gives the same text.
 */
export function planText({ project, region }: Wanted, resources: readonly Described[], { steps, isUp, notes }: PlannedSteps): string {
  const causes = new Map(steps.flatMap(({ name, cause }) => (cause === undefined ? [] : [[name, cause]])))
  const described = resources.flatMap((resource) => {
    const cause = causes.get(resource.name)
    return cause === undefined ? [] : cause.startsWith('created: ') ? rowsOf(resource) : [[resource.name, cause, '']]
  })
  // a build and the like: while the resource that it is for is made, its line says so
  const others = [...causes].flatMap(([name, cause]) =>
    cause.startsWith('created: ') || resources.some((resource) => resource.name === name) ? [] : [[name, cause, '']],
  )
  const start = isUp ? [] : [['start', 'the project is down', '']]
  const rows = [...described, ...others, ...start]
  const none = rows.length === 0 ? [['', 'nothing to do: everything is as the files say', '']] : []
  return table([[`project ${project}`, region, ''], ...rows, ...none], notes)
}

function rowsOf({ name, what, from, parts = [] }: Described): string[][] {
  return [[name, what, `${from.file}:${from.line}`], ...parts.map(([part, value]) => [`  ${part}`, value, ''])]
}

function table(rows: readonly (readonly string[])[], notes: readonly Note[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const lines = rows.map(([name = '', what = '', place = '']) => `${name.padEnd(width(0))}  ${what.padEnd(width(1))}  ${place}`.trimEnd())
  return `${[...lines, ...notes.map(({ resource, text }) => `note ${resource}  ${text}`)].join('\n')}\n`
}
