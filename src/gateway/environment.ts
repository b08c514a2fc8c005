import { dirname, join } from 'node:path'
import { javaOptions } from './java-options.ts'
import type { Leads } from './write-leads.ts'

/** What a process of this machine needs to meet devcloud under Google's own names. */
export interface EnvironmentOptions {
  /** The gateway's port. */
  readonly port: number
  /** A token that lets the proxy lead to hosts that are not Google's. Without the token the proxy refuses these hosts. */
  readonly tunnelToken?: string
  readonly bundlePath: string
  readonly certificatePath: string
  /** The folder with the roots for JVMs. */
  readonly javaRootsPath: string
  readonly leads: Leads
  readonly project: string
  readonly region: string
  /** `127.0.0.1:PORT` of the metadata server that answers this process. Absent when the process uses credentials of its own. */
  readonly metadataHost?: string
  /** A file with an access token of this machine, for gcloud. */
  readonly accessTokenFile?: string
  /** The same access token, for Terraform. */
  readonly accessToken?: string
}

/** Variables. Those in `options` hold options: join them to the options that the program has already (`joinOptions`). */
export interface Environment extends Readonly<Record<string, string>> {
  readonly JAVA_TOOL_OPTIONS: string
  readonly NODE_OPTIONS: string
}

/**
 * The variables of `devcloud env`, and of the process engine's children. Which client reads which:
 * docs/contract/sql-iam-terraform.md. Plain http needs no proxy: HTTP_PROXY stays the user's own.
 */
export function environmentFor(options: EnvironmentOptions): Environment {
  const {
    port,
    tunnelToken,
    bundlePath,
    certificatePath,
    javaRootsPath,
    leads,
    project,
    region,
    metadataHost,
    accessTokenFile,
    accessToken,
  } = options
  const proxy = `http://${tunnelToken === undefined ? '' : `devcloud:${tunnelToken}@`}127.0.0.1:${port}`
  const direct = 'localhost,.localhost,127.0.0.1,::1,169.254.169.254,metadata.google.internal'
  return {
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: '1', // without this variable Node's own fetch and https ignore HTTPS_PROXY
    SSL_CERT_FILE: bundlePath, // Go, OpenSSL, httpx
    REQUESTS_CA_BUNDLE: bundlePath,
    CURL_CA_BUNDLE: bundlePath,
    HTTPLIB2_CA_CERTS: bundlePath,
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundlePath, // gRPC reads no other variable and not the system's roots
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: bundlePath,
    NODE_EXTRA_CA_CERTS: certificatePath, // added to Node's own roots
    JAVA_TOOL_OPTIONS: javaOptions(javaRootsPath, port),
    NODE_OPTIONS: /\s/.test(leads.nodePath) ? `"--require=${leads.nodePath}"` : `--require=${leads.nodePath}`,
    PYTHONPATH: leads.pythonPath,
    GOOGLE_CLOUD_PROJECT: project,
    GOOGLE_CLOUD_REGION: region,
    CLOUDSDK_CONFIG: join(dirname(dirname(bundlePath)), 'gcloud'), // otherwise gcloud, gsutil and the SDKs find the user's login at Google first
    CLOUDSDK_CORE_PROJECT: project,
    CLOUDSDK_RUN_REGION: region,
    CLOUDSDK_COMPUTE_REGION: region,
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: 'true',
    ...(metadataHost !== undefined && {
      GCE_METADATA_HOST: metadataHost,
      GCE_METADATA_IP: metadataHost, // the probe of Python's client reads this variable alone
      GCE_METADATA_ROOT: metadataHost, // gcloud, and old clients
      METADATA_SERVER_DETECTION: 'assume-present', // Node's client then skips its probes
    }),
    ...(accessTokenFile !== undefined && { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: accessTokenFile }),
    ...(accessToken !== undefined && { GOOGLE_OAUTH_ACCESS_TOKEN: accessToken }),
  }
}

/** The variables as lines for `eval`. Each value is quoted for a POSIX shell. */
export function toShellLines(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join('')
}
