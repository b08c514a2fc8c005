import { lastPart } from './last-part.ts'

/**
 * Joins the options that one variable such as JAVA_TOOL_OPTIONS holds: first those options of `own` that `ours` does not set, then `ours`. Joining
 * `ours` to the result again changes nothing.
 */
export function joinOptions(own: string | undefined, ours: string): string {
  const set = new Set(split(ours).map(keyOf))
  return [...split(own ?? '').filter((option) => !set.has(keyOf(option))), ours].join(' ').trim()
}

/** `env`, where each variable of `options` is joined to its value in `env`, or else in `inherited`. */
export function withOptions(
  env: Readonly<Record<string, string>>,
  options: Readonly<Record<string, string>> = {},
  inherited: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string>> {
  const joined = Object.entries(options).map(([name, ours]) => [name, joinOptions(env[name] ?? inherited[name], ours)])
  return { ...env, ...Object.fromEntries(joined) }
}

/** Splits at white space outside quotes, as the JVM and Node do. */
function split(options: string): readonly string[] {
  return options.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []
}

/** The key of an option: the name of `-Dname=value`. An option that may occur several times (a folder of classes, a preload) has its last part too. */
function keyOf(option: string): string {
  const [, name = option, value = ''] = /^([^=:]+[=:])(.*)$/s.exec(option.replaceAll(/["']/g, '')) ?? []
  return name.startsWith('-D') ? name : `${name}${lastPart(value)}`
}
