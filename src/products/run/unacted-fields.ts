import type { BinaryAuthorization, VpcAccess } from '../../api/gen/google/cloud/run/v2/vendor_settings_pb.ts'

/** What services, jobs and worker pools have of this, each as far as it has it. */
export interface Unacted {
  readonly binaryAuthorization?: BinaryAuthorization | undefined
  readonly template?:
    | {
        readonly vpcAccess?: VpcAccess | undefined
        readonly encryptionKey?: string
        readonly encryptionKeyRevocationAction?: number
        readonly encryptionKeyShutdownDuration?: unknown
      }
    | undefined
}

/**
 * Fields that are stored and given back and that nothing here acts by, each with what it would do; empty when all that is asked for is done. Pure.
 * The one list: the log of a deployment, `devcloud up` and `up --plan` tell what it says.
 */
export function unactedFields({ binaryAuthorization, template = {} }: Unacted): readonly string[] {
  const { vpcAccess, encryptionKey = '', encryptionKeyRevocationAction = 0, encryptionKeyShutdownDuration } = template
  const told: readonly (readonly [isSet: boolean, what: string])[] = [
    [vpcAccess !== undefined, 'VPC access (connector, network interfaces, egress): requests leave by the network of this machine'],
    [encryptionKey !== '', 'the encryption key: images are not encrypted'],
    [encryptionKeyRevocationAction !== 0 || encryptionKeyShutdownDuration !== undefined, 'what a revoked encryption key does'],
    [binaryAuthorization !== undefined, 'binary authorization: every image may run'],
  ]
  return told.flatMap(([isSet, what]) => (isSet ? [what] : []))
}

/** For logs. */
export function unactedWords(fields: readonly string[]): string {
  return `Stored and not acted upon by devcloud: ${fields.join('; ')}.`
}
