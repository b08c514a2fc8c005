import { initYaml } from './init-yaml.ts'
import type { Section } from './section.ts'
import type { Wanted } from './wanted.ts'

const head = `# yaml-language-server: $schema=./node_modules/devcloud/schema.json
# What your production files do not say. Every key is optional.
# Lines that begin with # say what was found in other files, or what may be written; without the # they count.
`

/**
 * A devcloud.yaml of what was found. What other files say stands in comments, so that those files stay the ones to edit.
 * Read back in the same folder, it gives the same Wanted, but for the places.
 */
export function initText({ project, region, directory, parts }: Wanted, sections: readonly Section[]): string {
  const mentions = sections.flatMap((section) =>
    parts[section.product] === undefined ? [] : [section.mentions?.(parts[section.product]) ?? {}],
  )
  const mentioned = (key: string) => mentions.flatMap((of) => of[key] ?? [])
  const texts = sections.map((section) => section.init(parts[section.product], { project, directory, mentioned }))
  return [head, initYaml({ project, region }), ...texts].join('')
}
