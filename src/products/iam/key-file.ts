import type { ServiceAccount } from '../../api/gen/google/iam/admin/v1/iam_pb.ts'

/**
 * The JSON file that GOOGLE_APPLICATION_CREDENTIALS names. Its addresses are Google's own, which the gateway answers; outside of it Google
 * refuses the key, as it does not know it.
 */
export function keyFile(account: ServiceAccount, keyId: string, privateKey: string): string {
  const file = {
    type: 'service_account',
    project_id: account.projectId,
    private_key_id: keyId,
    private_key: privateKey,
    client_email: account.email,
    client_id: account.uniqueId,
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: 'https://oauth2.googleapis.com/token',
    auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(account.email)}`,
    universe_domain: 'googleapis.com',
  }
  return `${JSON.stringify(file, undefined, 2)}\n`
}
