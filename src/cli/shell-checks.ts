import type { DoctorCheck } from '../daemon/control-protocol.ts'

/** The facts of the caller's shell that decide whether its programs reach devcloud. */
export interface ShellFacts {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The version of the first `node` in PATH: `v20.20.2`. Undefined without a `node`. */
  readonly nodeVersion: string | undefined
  /** The file that `gcloud auth application-default login` wrote. Undefined without the file. */
  readonly loginPath: string | undefined
}

/** Finds what in this shell does not reach devcloud, each with what to do about it. Pure. See docs/security.md. */
export function checkShell({ env, nodeVersion, loginPath }: ShellFacts): readonly DoctorCheck[] {
  const isLed = /@?127\.0\.0\.1:\d+\/?$/.test(env['HTTPS_PROXY'] ?? '') && env['CLOUDSDK_AUTH_ACCESS_TOKEN_FILE'] !== undefined
  const hasEndpoints = env['CLOUDSDK_AUTH_DISABLE_CREDENTIALS'] === 'true'
  if (!isLed && !hasEndpoints) {
    return [{ name: 'shell', state: 'ok', detail: 'speaks to the real Google Cloud; to devcloud after: eval "$(devcloud env)"' }]
  }
  const checks: DoctorCheck[] = [{ name: 'shell', state: 'ok', detail: isLed ? 'led to devcloud' : 'led to devcloud by endpoints' }]
  const key = env['GOOGLE_APPLICATION_CREDENTIALS']
  if (key !== undefined) {
    const detail = `GOOGLE_APPLICATION_CREDENTIALS names ${key}: a key of Google's is refused here, and one of devcloud works`
    checks.push({ name: 'credentials', state: 'warning', detail, fix: 'unset GOOGLE_APPLICATION_CREDENTIALS' })
  } else if (loginPath !== undefined) {
    const detail = `Go's clients use the login in ${loginPath} before that of devcloud, and fail with invalid_grant`
    checks.push({ name: 'credentials', state: 'warning', detail, fix: `mv '${loginPath}' '${loginPath}.away'` })
  }
  if (!isLed) return checks
  if (nodeVersion !== undefined && !usesProxy(nodeVersion)) {
    const detail = `fetch of Node ${nodeVersion} uses no proxy: for Google's names it fails`
    checks.push({ name: 'node', state: 'warning', detail, fix: 'eval "$(devcloud env --endpoints)", or Node 22.21 or newer' })
  }
  const detail =
    "not led by a proxy: HTTP clients of a JVM's own (Apache, Netty), GraalVM images, Rust's tonic; give them: devcloud env --endpoints"
  return [...checks, { name: 'clients', state: 'ok', detail }]
}

/** Since 22.21 and 24.0: nodejs.org/api/cli.html, NODE_USE_ENV_PROXY. */
function usesProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 21)
}
