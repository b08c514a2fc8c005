/**
 * Fills in the variables in a value of a Compose file: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`; `$$` is a dollar.
 * https://docs.docker.com/reference/compose-file/interpolation/
 * @param refuse makes the error for a variable without a value, and for another form
 */
export function interpolate(text: string, variables: Readonly<Record<string, string>>, refuse: (problem: string) => Error): string {
  return text.replace(
    /\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^${}]*))?\}|)/g,
    (form, bare?: string, braced?: string, usual?: string) => {
      if (form === '$$') return '$'
      const name = bare ?? braced
      if (name === undefined) throw refuse(`"${text}" has a variable in a form that devcloud does not read`)
      const value = variables[name] ?? usual
      if (value === undefined) throw refuse(`the variable ${name} has no value here; write \${${name}:-default}`)
      return value
    },
  )
}
