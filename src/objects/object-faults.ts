import { CloudError } from '../base/cloud-error.ts'

function notFound(message: string, options: { readonly fault: string }): CloudError {
  return new CloudError('NOT_FOUND', message, 'Check the name.', options)
}

export function bucketNotFound(): CloudError {
  return notFound('The specified bucket does not exist.', { fault: 'BUCKET_NOT_FOUND' })
}

export function objectNotFound({ bucket, name }: { readonly bucket: string; readonly name: string }): CloudError {
  return notFound(`No such object: ${bucket}/${name}`, { fault: 'OBJECT_NOT_FOUND' })
}

export function bucketExists(): CloudError {
  return new CloudError(
    'ALREADY_EXISTS',
    'Your previous request to create the named bucket succeeded and you already own it.',
    'Use it, or choose another name.',
    { fault: 'BUCKET_EXISTS' },
  )
}

export function bucketNotEmpty(): CloudError {
  return new CloudError('ABORTED', 'The bucket you tried to delete is not empty.', 'Delete its objects first.', {
    fault: 'BUCKET_NOT_EMPTY',
  })
}
