/**
 * Options for a runtime in one variable, as JAVA_TOOL_OPTIONS holds them: `ours` after those of `own` that `ours` does not set anew. Joined again with
 * what comes out, it stays the same.
 */
export function joinOptions(own: string | undefined, ours: string): string {
  const set = new Set(split(ours).map(keyOf))
  return [...split(own ?? '').filter((option) => !set.has(keyOf(option))), ours].join(' ').trim()
}

/** `env` with each of `options` joined to what it says, or else `inherited`. */
export function withOptions(
  env: Readonly<Record<string, string>>,
  options: Readonly<Record<string, string>> = {},
  inherited: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string>> {
  const joined = Object.entries(options).map(([name, ours]) => [name, joinOptions(env[name] ?? inherited[name], ours)])
  return { ...env, ...Object.fromEntries(joined) }
}

/** By white space that is not within quotes, which the JVM and Node read alike. */
function split(options: string): readonly string[] {
  return options.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []
}

/** `-Dname=value` by its name; a folder of classes or a preload, of which there may be several, by its last part too. */
function keyOf(option: string): string {
  const [, name = option, value = ''] = /^([^=:]+[=:])(.*)$/s.exec(option.replaceAll(/["']/g, '')) ?? []
  return name.startsWith('-D') ? name : `${name}${value.split('/').at(-1) ?? ''}`
}
