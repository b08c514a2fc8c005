import { initYaml } from './init-yaml.ts'
import type { Section } from './section.ts'
import type { Wanted } from './wanted.ts'

const head = `# yaml-language-server: $schema=./node_modules/devcloud/schema.json
# What your production files do not say. Every key is optional.
# Lines that begin with # say what was found in other files, or what may be written; without the # they count.
`

/**
 * The text of a devcloud.yaml for what was found. What other files say is in comments, so that people go on editing those files. Reading the text in the
 * same folder gives the same Wanted, except for the places.
 */
export function initText({ project, region, directory, parts }: Wanted, sections: readonly Section[]): string {
  const mentions = sections.flatMap((section) =>
    parts[section.product] === undefined ? [] : [section.mentions?.(parts[section.product]) ?? {}],
  )
  const mentioned = (key: string) => mentions.flatMap((of) => of[key] ?? [])
  const texts = sections.map((section) => section.init(parts[section.product], { project, directory, mentioned }))
  return [head, initYaml({ project, region }), ...texts].join('')
}
