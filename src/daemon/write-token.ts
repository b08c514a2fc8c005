import { join } from 'node:path'
import { writeWhole } from '../base/write-whole.ts'

/** The local user's token, where gcloud reads it: CLOUDSDK_AUTH_ACCESS_TOKEN_FILE. @returns the file's path */
export function writeToken(stateDirectory: string, token: string): string {
  const path = join(stateDirectory, 'access-token')
  writeWhole(path, token, 0o600)
  return path
}
