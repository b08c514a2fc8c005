import { ServicesClient } from '@google-cloud/run'
import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { Storage } from '@google-cloud/storage'
import { GoogleAuth, OAuth2Client } from 'google-auth-library'

/** A program that names nothing of devcloud: default clients, default credentials. It prints what it saw as JSON. */
const storage = new Storage()
const [bucket] = await storage.createBucket('by-node')
await bucket.file('a b').save('simple', { resumable: false })
await bucket.file('big').save(Buffer.alloc(3_000_000, 'x'), { resumable: true })
const [content] = await bucket.file('a b').download()
const [files] = await bucket.getFiles()
const [url] = await bucket.file('a b').getSignedUrl({ action: 'read', expires: Date.now() + 60_000, version: 'v4' })
const signed = await (await fetch(url)).text()
await bucket.deleteFiles()
await bucket.delete()

const secrets = new SecretManagerServiceClient()
const project = await secrets.getProjectId()
const [version] = await secrets.accessSecretVersion({ name: `projects/${project}/secrets/guestbook-settings/versions/latest` })

const run = new ServicesClient()
const [services] = await run.listServices({ parent: `projects/${project}/locations/us-central1` })
const [service] = await run.getService({ name: services[0]?.name ?? '' })

const audience = 'https://a'
const client = await new GoogleAuth().getIdTokenClient(audience)
const ticket = await new OAuth2Client().verifyIdToken({ idToken: await client.idTokenProvider.fetchIdToken(audience), audience })

const seen = {
  content: content.toString(),
  files: files.map(({ name, metadata }) => [name, metadata.size]),
  signed,
  project,
  secret: version.payload?.data?.toString(),
  services: services.map(({ name }) => name),
  uri: service.uri,
  email: ticket.getPayload()?.email,
}
process.stdout.write(JSON.stringify(seen))
