import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The local user's token, where gcloud reads it: CLOUDSDK_AUTH_ACCESS_TOKEN_FILE. @returns the file's path */
export function writeToken(stateDirectory: string, token: string): string {
  const path = join(stateDirectory, 'access-token')
  writeFileSync(`${path}.new`, token, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return path
}
