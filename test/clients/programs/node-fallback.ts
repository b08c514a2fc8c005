import { createRequire } from 'node:module'
import type { SecretManagerServiceClient as Client } from '@google-cloud/secret-manager'

/** The REST transport of google-gax: node-fetch with an agent of its own, which looks at no variable. */
const require = createRequire(import.meta.url)
const { SecretManagerServiceClient } = require('@google-cloud/secret-manager') as { SecretManagerServiceClient: typeof Client }
const secrets = new SecretManagerServiceClient({ fallback: true })
const project = await secrets.getProjectId()
const [version] = await secrets.accessSecretVersion({ name: `projects/${project}/secrets/guestbook-settings/versions/latest` })
process.stdout.write(String(version.payload?.data))
