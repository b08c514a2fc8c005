import { create } from '@bufbuild/protobuf'
import { VolumeSchema, type Volume } from '../../../api/gen/google/cloud/run/v2/k8s.min_pb.ts'
import { invalid } from '../invalid.ts'
import { secretAlias } from './v1-pod-annotations.ts'
import { present, type Json, type V1Pod } from './v1-schema.ts'

type V1Volume = NonNullable<V1Pod['volumes']>[number]

/** @throws CloudError INVALID_ARGUMENT for a source that Cloud Run does not have */
export function readVolume(volume: V1Volume): Volume['volumeType'] {
  const { secret, emptyDir, nfs, csi } = volume
  if (secret) {
    const items = (secret.items ?? []).map(({ key, path, mode }) => ({ path, version: key ?? '', mode: mode ?? 0 }))
    return create(VolumeSchema, {
      volumeType: { case: 'secret', value: { secret: secret.secretName ?? '', items, defaultMode: secret.defaultMode ?? 0 } },
    }).volumeType
  }
  if (emptyDir) {
    return create(VolumeSchema, {
      volumeType: { case: 'emptyDir', value: { medium: emptyDir.medium === 'Memory' ? 1 : 0, sizeLimit: emptyDir.sizeLimit ?? '' } },
    }).volumeType
  }
  if (nfs) {
    const value = { server: nfs.server, path: nfs.path, readOnly: nfs.readOnly === true }
    return create(VolumeSchema, { volumeType: { case: 'nfs', value } }).volumeType
  }
  if (csi?.driver === 'gcsfuse.run.googleapis.com') {
    const { bucketName = '', mountOptions = '' } = csi.volumeAttributes ?? {}
    const options = mountOptions.split(',').filter((option) => option !== '')
    const value = { bucket: bucketName, readOnly: csi.readOnly === true, mountOptions: options }
    return create(VolumeSchema, { volumeType: { case: 'gcs', value } }).volumeType
  }
  throw invalid(`volumes[${volume.name}]: has no source that Cloud Run knows.`, 'Use secret, emptyDir, nfs or csi.')
}

/** The way back. */
export function writeVolume({ name, volumeType }: Volume): Json {
  const { case: kind, value } = volumeType
  if (kind === 'secret') {
    const items = value.items.map(({ path, version, mode }) => ({ key: version || 'latest', path, ...(mode !== 0 && { mode }) }))
    return {
      name,
      secret: {
        ...present({ secretName: secretAlias(value.secret), items }),
        ...(value.defaultMode !== 0 && { defaultMode: value.defaultMode }),
      },
    }
  }
  if (kind === 'emptyDir') return { name, emptyDir: present({ medium: value.medium === 1 ? 'Memory' : '', sizeLimit: value.sizeLimit }) }
  if (kind === 'nfs') return { name, nfs: { server: value.server, path: value.path, ...(value.readOnly && { readOnly: true }) } }
  if (kind === 'gcs') {
    const volumeAttributes = present({ bucketName: value.bucket, mountOptions: value.mountOptions.join(',') })
    return { name, csi: { driver: 'gcsfuse.run.googleapis.com', ...(value.readOnly && { readOnly: true }), volumeAttributes } }
  }
  return { name }
}
