// A program as a user writes it: default endpoint, default transport. Its environment leads it to devcloud.
import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { OAuth2Client } from 'google-auth-library'

const authClient = new OAuth2Client({ credentials: { access_token: 'good', expiry_date: Date.now() + 3_600_000 } })
const client = new SecretManagerServiceClient({ authClient, projectId: 'p' } as never)
const [version] = await client.accessSecretVersion({ name: 'projects/p/secrets/s/versions/latest' })
process.stdout.write(String(version.payload?.data))
await client.close()
