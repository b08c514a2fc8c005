import { stringify } from 'yaml'

/** Keys and values as YAML, for the devcloud.yaml of `devcloud init`. */
export function initYaml(value: Readonly<Record<string, unknown>>): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** Keys and values as YAML in comments. @param indent the text before each # */
export function commented(value: Readonly<Record<string, unknown>>, indent = ''): string {
  return initYaml(value).replaceAll(/^/gm, `${indent}# `).replace(/ *# $/, '')
}
