import { join } from 'node:path'
import { CloudError } from './cloud-error.ts'

/** Whether `name` is one part of a path that stays below any folder it is joined to. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)
}

/** `folder/name`. @throws CloudError INVALID_ARGUMENT for a name that would lead out of `folder`: files outside must never be made or removed (S15) */
export function below(folder: string, name: string): string {
  if (isPlainName(name)) return join(folder, name)
  throw new CloudError('INVALID_ARGUMENT', `"${name}" cannot be the name of a folder.`, 'Choose letters, digits and hyphens.')
}
