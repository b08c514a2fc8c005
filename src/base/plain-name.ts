import { join } from 'node:path'
import { CloudError } from './cloud-error.ts'

/** Whether `name` is one part of a path, and stays below the folder that it is put into. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)
}

/** `folder/name`. @throws CloudError INVALID_ARGUMENT for a name that would lead out of it: what is made, or removed, there must be its own (S15) */
export function below(folder: string, name: string): string {
  if (isPlainName(name)) return join(folder, name)
  throw new CloudError('INVALID_ARGUMENT', `"${name}" cannot be the name of a folder.`, 'Choose letters, digits and hyphens.')
}
