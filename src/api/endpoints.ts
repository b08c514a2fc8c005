import type { Product } from './product.ts'

/**
 * The variables of `devcloud env --endpoints`.
 * @param port of the gateway
 * @param token of this machine, where connections do not tell whose they are
 */
export function endpointsFor(products: readonly Product[], port: number, token?: string): Readonly<Record<string, string>> {
  const base = `http://${token === undefined ? '' : `devcloud:${token}@`}localhost:${port}`
  const shared = { CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true' } // gcloud asks for a login else, and sends it
  return Object.assign(shared, ...products.map((product) => product.endpoints?.(base) ?? {})) as Readonly<Record<string, string>>
}
