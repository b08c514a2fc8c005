import { ServicesClient } from '@google-cloud/run'
import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { Storage } from '@google-cloud/storage'

/** What each call ends with: the code and the words of its error. */
const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  notification: () => new Storage().bucket('guestbook-pictures').createNotification('projects/guestbook/topics/t'),
  hmacKey: () => new Storage().createHmacKey('a@guestbook.iam.gserviceaccount.com'),
  customerKey: () =>
    new Storage().bucket('guestbook-pictures').file('sealed').setEncryptionKey(Buffer.alloc(32)).save('x', { resumable: false }),
  nfs() {
    const containers = [{ image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }]
    const service = { template: { containers, volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] } }
    return new ServicesClient().createService({ parent: 'projects/guestbook/locations/us-central1', serviceId: 'nfs', service })
  },
  regionalSecret: () => new SecretManagerServiceClient().getSecret({ name: 'projects/guestbook/locations/us-central1/secrets/s' }),
}

const told: Record<string, unknown> = {}
for (const [name, call] of Object.entries(calls)) {
  told[name] = await call().then(
    () => 'done',
    (error: unknown) => [(error as { readonly code?: unknown }).code, (error as Error).message],
  )
}
process.stdout.write(JSON.stringify(told))
process.exit()
