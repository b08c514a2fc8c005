/** What each product's clients read when a tool takes an endpoint rather than a proxy; `base` has no slash at its end. */
const endpointsByProduct: Readonly<Record<string, (base: string) => Readonly<Record<string, string>>>> = {
  storage: (base) => ({
    STORAGE_EMULATOR_HOST: base,
    AWS_ENDPOINT_URL_S3: base,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${base}/storage/v1/`,
    GOOGLE_STORAGE_CUSTOM_ENDPOINT: `${base}/storage/v1/`,
  }),
  secretmanager: (base) => ({
    SECRET_MANAGER_EMULATOR_HOST: base.replace('http://', ''),
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${base}/`,
    GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT: `${base}/v1/`,
  }),
  run: (base) => ({
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: `${base.replace('localhost', 'run.localhost')}/`, // gcloud puts the region before it
    CLOUDSDK_CORE_SHOULD_PROMPT_TO_ENABLE_API: 'false', // gcloud asks serviceusage.googleapis.com else
    GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT: `${base}/v2/`,
  }),
  sql: (base) => ({
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SQL: `${base}/`,
    GOOGLE_SQL_CUSTOM_ENDPOINT: `${base}/sql/v1beta4/`, // the client strips two parts of the path
  }),
}

/**
 * The variables of `devcloud env --endpoints`.
 * @param products their names
 * @param port of the gateway
 * @param token of this machine, where connections do not tell whose they are
 */
export function endpointsFor(products: readonly string[], port: number, token?: string): Readonly<Record<string, string>> {
  const base = `http://${token === undefined ? '' : `devcloud:${token}@`}localhost:${port}`
  const shared = { CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true' } // gcloud asks for a login else, and sends it
  return Object.assign(shared, ...products.map((name) => endpointsByProduct[name]?.(base) ?? {})) as Readonly<Record<string, string>>
}
