import { readFileSync } from 'node:fs'

/** This package's version, from its own package.json. */
export function version(): string {
  const { version: told } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }
  return told
}
