import type { z } from 'zod'
import type { Place } from './place.ts'
import type { Problems } from './problems.ts'
import type { ProjectFiles } from './project-files.ts'
import type { YamlDocument } from './read-yaml.ts'

/** The part of a project's files that speaks of one product: which keys of devcloud.yaml are the product's own, and what they and other files want. */
export interface Section<Wanted = unknown, Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** The product's name: `secretmanager`. */
  readonly product: string
  /** The product's keys of devcloud.yaml, each optional. */
  readonly keys: Shape
  /** Reads what is wanted. Problems are told to `reading.problems`, all of them; what does not fit is left out. */
  read(reading: Reading<Shape>): Promise<Found<Wanted>>
  /** Every wanted resource in words, for `up --plan`. Never a secret's value. */
  describe(wanted: Wanted, directory: string): readonly Described[]
  /** Resources of other products that `wanted` names, by key of devcloud.yaml: `{ secrets: ['db-password'] }`. */
  mentions?(wanted: Wanted): Readonly<Record<string, readonly string[]>>
  /** The section as a devcloud.yaml says it: text that `devcloud init` writes. What another file says stands in comments. */
  init(wanted: Wanted | undefined, project: InitProject): string
}

export interface Reading<Shape extends z.ZodRawShape = z.ZodRawShape> {
  readonly files: ProjectFiles
  readonly problems: Problems
  /** What devcloud.yaml says under the section's keys. Entries that do not fit are left out. */
  readonly told: { readonly [Key in keyof Shape]?: z.output<Shape[Key]> }
  /** devcloud.yaml; an empty document where there is no such file. */
  readonly document: YamlDocument
  /** Names that devcloud.yaml has under `key`, of whichever section. Undefined where a fault of the file leaves that open. */
  namesUnder(key: string): readonly string[] | undefined
}

export interface Found<Wanted> {
  /** What other files than devcloud.yaml say of the project. devcloud.yaml goes before them. */
  readonly project?: string
  readonly region?: string
  /** What is wanted, in the project that it then is; undefined where the files want nothing of the product. */
  wanted(project: { readonly project: string; readonly region: string }): Wanted | undefined
}

/** One wanted resource. */
export interface Described {
  /** `service web`: the name of the step that makes the resource. */
  readonly name: string
  readonly what: string
  readonly from: Place
  /** What the resource is made of: `['env A', 'a value']`. */
  readonly parts?: readonly (readonly [string, string])[]
}

export interface InitProject {
  readonly project: string
  readonly directory: string
  /** What other sections mention of the keys of this one. */
  mentioned(key: string): readonly string[]
}

/** A section with its types checked, which are then forgotten: only the section itself reads what it wanted. */
export function section<Shape extends z.ZodRawShape, Wanted>(given: Section<Wanted, Shape>): Section {
  return given as unknown as Section
}
