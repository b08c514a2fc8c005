import { CloudError } from '../../base/cloud-error.ts'

/** Source: cloud.google.com/storage/docs/buckets#naming. @throws CloudError INVALID_ARGUMENT */
export function checkBucketName(name: string): void {
  const labels = name.split('.')
  const fits =
    name.length >= 3 && name.length <= (labels.length > 1 ? 222 : 63) && labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label))
  const isPlain = labels.every((label) => /^[a-z0-9](.*[a-z0-9])?$/.test(label)) && !/^\d+\.\d+\.\d+\.\d+$/.test(name)
  const isGoogles = name.startsWith('goog') || /g[o0]{2}g[l1]e/.test(name)
  if (fits && isPlain && !isGoogles) return
  throw invalid(
    `Invalid bucket name: '${name.slice(0, 300)}'`,
    'Use 3 to 63 of a-z, 0-9, dash, underscore and dot; see cloud.google.com/storage/docs/buckets.',
  )
}

/** Source: cloud.google.com/storage/docs/objects#naming. @throws CloudError INVALID_ARGUMENT */
export function checkObjectName(name: string): void {
  const bytes = Buffer.byteLength(name)
  const isRefused = /[\r\n]/.test(name) || name === '.' || name === '..' || name.startsWith('.well-known/acme-challenge/')
  if (bytes >= 1 && bytes <= 1024 && !isRefused && name.isWellFormed()) return
  const why =
    bytes > 1024 ? 'The maximum object length is 1024 characters, but got a name with ' + bytes + ' characters.' : 'Invalid object name.'
  throw invalid(why, 'Use 1 to 1024 bytes of UTF-8 without line ends.')
}

export function invalid(message: string, next: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, next, { fault: 'INVALID' })
}

export function required(parameter: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', `Required parameter: ${parameter}`, `Send ${parameter}.`, { fault: 'REQUIRED' })
}

export function forbidden(message: string, next: string): CloudError {
  return new CloudError('PERMISSION_DENIED', message, next, { fault: 'FORBIDDEN' })
}

export function unimplemented(what: string): CloudError {
  return new CloudError('UNIMPLEMENTED', `devcloud does not emulate ${what}.`, 'See src/products/storage/README.md.', {
    fault: 'UNIMPLEMENTED',
  })
}
