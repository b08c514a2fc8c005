import { stringify } from 'yaml'

/** Keys and values as YAML, for a devcloud.yaml that `devcloud init` writes. */
export function initYaml(value: Readonly<Record<string, unknown>>): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** The same in comments. @param indent stands before each # */
export function commented(value: Readonly<Record<string, unknown>>, indent = ''): string {
  return initYaml(value).replaceAll(/^/gm, `${indent}# `).replace(/ *# $/, '')
}
