import { ServicesClient } from '@google-cloud/run'
import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { Storage } from '@google-cloud/storage'
import { GoogleAuth } from 'google-auth-library'

/** Calls of what devcloud does not emulate, each with the words of its error, as a line of JSON. */
const project = await new GoogleAuth().getProjectId()
const bucket = new Storage().bucket(`${project}-pictures`)
const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  notification: () => bucket.createNotification('topic'),
  'HMAC key': () => new Storage().createHmacKey('a@b.example'),
  'another host': () => new GoogleAuth({ scopes: 'a' }).request({ url: `https://pubsub.googleapis.com/v1/projects/${project}/topics` }),
  'another host by gRPC': () =>
    new SecretManagerServiceClient({ apiEndpoint: 'pubsub.googleapis.com' }).getSecret({ name: `projects/${project}/secrets/a` }),
  GPU: () =>
    new ServicesClient().createService({
      parent: `projects/${project}/locations/us-central1`,
      serviceId: 'gpu',
      service: { template: { containers: [{ image: 'a', resources: { limits: { 'nvidia.com/gpu': '1' } } }] } },
    }),
}
for (const [name, call] of Object.entries(calls)) {
  const words = await call().then(
    () => 'answered',
    (error: unknown) => String(error),
  )
  process.stdout.write(`${JSON.stringify({ name, words })}\n`)
}
