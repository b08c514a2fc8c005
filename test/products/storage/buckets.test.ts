import { expect, test } from 'vitest'
import { givenStorage } from './given-storage.ts'

test('a bucket is made once, listed, and gone when deleted', async () => {
  await using cloud = await givenStorage()
  await expect(cloud.client.createBucket('bucket')).rejects.toMatchObject({ code: 409 })
  await cloud.client.createBucket('other-bucket', { location: 'europe-west1', labels: { a: 'b' } })
  const [buckets] = await cloud.client.getBuckets()
  expect(buckets.map(({ name }) => name)).toEqual(['bucket', 'other-bucket'])
  await cloud.client.bucket('other-bucket').delete()
  await expect(cloud.client.bucket('other-bucket').getMetadata()).rejects.toMatchObject({ code: 404 })
})

test('buckets come in pages', async () => {
  await using cloud = await givenStorage()
  for (const name of ['bucket-1', 'bucket-2']) await cloud.client.createBucket(name)
  const first = (await cloud.send('GET', '/storage/v1/b?project=demo&maxResults=2')).json()
  const second = (await cloud.send('GET', `/storage/v1/b?project=demo&pageToken=${String(first['nextPageToken'])}`)).json()
  expect(first['items']).toHaveLength(2)
  expect(second).toMatchObject({ items: [{ name: 'bucket-2' }] })
  expect(second).not.toHaveProperty('nextPageToken')
})

test('a bucket with objects is not deleted', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('x', { resumable: false })
  await expect(cloud.bucket.delete()).rejects.toMatchObject({ code: 409 })
})

test('storage trap 33: names are checked, and a location is told in upper case', async () => {
  await using cloud = await givenStorage()
  for (const name of ['Upper', 'ab', 'google-x', '1.2.3.4'])
    await expect(cloud.client.createBucket(name)).rejects.toMatchObject({ code: 400 })
  await cloud.client.createBucket('regional', { location: 'europe-west1' })
  expect((await cloud.client.bucket('regional').getMetadata())[0]).toMatchObject({ location: 'EUROPE-WEST1', locationType: 'region' })
})

test('labels, cors and lifecycle of a bucket stay, and each change counts', async () => {
  await using cloud = await givenStorage()
  const cors = [{ origin: ['*'], method: ['GET'], maxAgeSeconds: 60 }]
  await cloud.bucket.setMetadata({ labels: { a: '1', b: '2' }, cors })
  await cloud.bucket.addLifecycleRule({ action: { type: 'Delete' }, condition: { age: 3 } })
  await cloud.bucket.setMetadata({ labels: { a: null } as never })
  const [metadata] = await cloud.bucket.getMetadata()
  expect(metadata).toMatchObject({ labels: { b: '2' }, cors, metageneration: '4' })
  expect(metadata.labels).not.toHaveProperty('a')
  expect(metadata.lifecycle?.rule).toHaveLength(1)
})

test('a policy with a stale etag is refused, a fresh one is kept', async () => {
  await using cloud = await givenStorage()
  const [policy] = await cloud.bucket.iam.getPolicy()
  policy.bindings.push({ role: 'roles/storage.objectViewer', members: ['allUsers'] })
  await cloud.bucket.iam.setPolicy(policy)
  await expect(cloud.bucket.iam.setPolicy(policy)).rejects.toMatchObject({ code: 412 })
  expect((await cloud.bucket.iam.getPolicy())[0].bindings).toContainEqual({ role: 'roles/storage.objectViewer', members: ['allUsers'] })
  const { etag } = (await cloud.bucket.iam.getPolicy())[0]
  expect(Buffer.from(etag ?? '', 'base64').toString('base64')).toBe(etag) // gcloud and gsutil decode it
  expect((await cloud.bucket.iam.testPermissions('storage.objects.get'))[0]).toEqual({ 'storage.objects.get': true })
})

test('a bucket that is there has no managed folders, and one that is not is 404', async () => {
  await using cloud = await givenStorage()
  expect((await cloud.send('GET', '/storage/v1/b/bucket/managedFolders')).json()).toEqual({ kind: 'storage#managedFolders' })
  expect((await cloud.send('GET', '/storage/v1/b/nobody/managedFolders')).status).toBe(404)
  expect((await cloud.send('POST', '/storage/v1/b/bucket/managedFolders', { body: '{"name":"a/"}' })).status).toBe(400)
})

test('entries of access are added, changed and taken away', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.file('o').save('x', { resumable: false })
  for (const list of [cloud.bucket.acl, cloud.bucket.acl.default, cloud.bucket.file('o').acl]) {
    await list.add({ entity: 'allUsers', role: 'READER' })
    await list.update({ entity: 'allUsers', role: 'OWNER' })
    expect((await list.get({ entity: 'allUsers' }))[0]).toMatchObject({ entity: 'allUsers', role: 'OWNER' })
    await list.delete({ entity: 'allUsers' })
    await expect(list.get({ entity: 'allUsers' })).rejects.toMatchObject({ code: 404 })
  }
})

test('under uniform access lists are refused', async () => {
  await using cloud = await givenStorage()
  await cloud.bucket.setMetadata({ iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } })
  await expect(cloud.bucket.acl.get()).rejects.toMatchObject({ code: 400 })
  await expect(cloud.bucket.file('o').save('x', { resumable: false, predefinedAcl: 'publicRead' })).rejects.toMatchObject({ code: 400 })
})

test('a project has its service account of storage', async () => {
  await using cloud = await givenStorage()
  expect((await cloud.client.getServiceAccount())[0]).toMatchObject({
    emailAddress: 'service-123456789012@gs-project-accounts.iam.gserviceaccount.com',
  })
})
