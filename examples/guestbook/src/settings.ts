import { SecretManagerServiceClient } from '@google-cloud/secret-manager'

export interface Settings {
  readonly title: string
  readonly greeting: string
}

/** The settings are JSON in a secret of the project that this service runs in. */
export async function readSettings(): Promise<Settings> {
  const client = new SecretManagerServiceClient()
  const project = await client.getProjectId()
  const [version] = await client.accessSecretVersion({
    name: `projects/${project}/secrets/${process.env['SETTINGS_SECRET']}/versions/latest`,
  })
  await client.close()
  return JSON.parse(version.payload?.data?.toString() ?? '{}') as Settings
}
