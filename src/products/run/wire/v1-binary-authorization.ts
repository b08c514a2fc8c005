import { create } from '@bufbuild/protobuf'
import { BinaryAuthorizationSchema, type BinaryAuthorization } from '../../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'
import { run, type Annotations } from './v1-annotations.ts'

/** The policy that the annotations of a service or a worker pool tell. */
export function fromBinaryAuthorization(annotations: Annotations): { readonly binaryAuthorization?: BinaryAuthorization } {
  const policy = annotations[`${run}binary-authorization`]
  if (policy === undefined) return {}
  const breakglassJustification = annotations[`${run}binary-authorization-breakglass`] ?? ''
  const binauthzMethod = policy === 'default' ? { case: 'useDefault' as const, value: true } : { case: 'policy' as const, value: policy }
  return { binaryAuthorization: create(BinaryAuthorizationSchema, { breakglassJustification, binauthzMethod }) }
}

/** The way back. */
export function toBinaryAuthorization({
  binaryAuthorization,
}: {
  readonly binaryAuthorization?: BinaryAuthorization | undefined
}): Annotations {
  if (binaryAuthorization === undefined) return {}
  const { binauthzMethod, breakglassJustification } = binaryAuthorization
  return {
    [`${run}binary-authorization`]: binauthzMethod.case === 'policy' ? binauthzMethod.value : 'default',
    [`${run}binary-authorization-breakglass`]: breakglassJustification,
  }
}
