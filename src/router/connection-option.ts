import type { Field } from './http-head.ts'

/** Whether `Connection` names the option. */
export function hasConnectionOption(fields: readonly Field[], option: 'close' | 'upgrade'): boolean {
  return fields.some(({ lower, value }) => lower === 'connection' && options[option].test(value))
}

const options = { close: /(^|,)[\t ]*close[\t ]*(,|$)/i, upgrade: /(^|,)[\t ]*upgrade[\t ]*(,|$)/i }
