/**
 * Compiles the path of a `google.api.http` rule into a regular expression: `/v1/{name=projects/*\/secrets/*}:access`.
 * Source: google/api/http.proto, "Path template syntax".
 */
export interface PathTemplate {
  /** The decoded values of the variables by field path. Undefined when `path` does not match. */
  match(path: string): Readonly<Record<string, string>> | undefined
}

export function compilePathTemplate(template: string): PathTemplate {
  const variables: { readonly field: string; readonly deep: boolean }[] = []
  const source = template.replaceAll(
    /\{([^}=]+)(?:=([^}]*))?\}|\*\*|\*|[^{*]+/g,
    (part, field: string | undefined, pattern: string | undefined) => {
      if (field === undefined) return part === '**' ? '.*' : part === '*' ? '[^/]+' : escapeLiteral(part)
      const inner = pattern ?? '*'
      variables.push({ field, deep: inner !== '*' })
      return `(${inner.split('/').map(segment).join('/')})`
    },
  )
  const expression = new RegExp(`^${source}$`)
  return {
    match(path) {
      const found = expression.exec(path)
      if (found === null) return undefined
      const pairs = variables.map(({ field, deep }, index) => [field, decode(found[index + 1] ?? '', deep)] as const)
      return pairs.some(([, value]) => value === undefined) ? undefined : (Object.fromEntries(pairs) as Record<string, string>)
    },
  }
}

/** A `*` matches no colon, or it would take the verb of `secrets/s:addVersion` too. A colon in a name comes as %3A. */
function segment(part: string): string {
  return part === '*' ? '[^/:]+' : part === '**' ? '.+' : escapeLiteral(part)
}

function escapeLiteral(text: string): string {
  return text.replaceAll(/[.+?^$()|[\]\\]/g, String.raw`\$&`)
}

/** A value of several segments keeps its %2F, as http.proto says. */
function decode(text: string, deep: boolean): string | undefined {
  try {
    return deep ? decodeURIComponent(text.replaceAll(/%2[fF]/g, '%252F')) : decodeURIComponent(text)
  } catch {
    return undefined
  }
}
