import { expect, test } from 'vitest'
import { projectFolder } from './project-folder.ts'
import { newPlanText, readWanted } from './read-wanted.ts'

test('a Dockerfile alone is two lines', async () => {
  await using folder = await projectFolder({ Dockerfile: 'FROM scratch\nENTRYPOINT ["/app"]\n' })
  expect(newPlanText(await readWanted(folder.path))).toBe(
    `project guestbook  us-central1
service guestbook  build Dockerfile · port 8080 · 1 CPU · 512Mi · 80 requests at a time · 0 to 100 instances · 300s  Dockerfile:2
`,
  )
})

test('every resource is a line with its place, and no secret is printed', async () => {
  await using folder = await projectFolder({
    'package.json': '{ "scripts": { "start": "node x.js" } }',
    'api/Dockerfile': 'FROM scratch\n',
    'api/package.json': '{ "scripts": { "start": "node x.js" } }',
    'key.txt': 'hidden-1',
    'devcloud.yaml': `secrets:
  key: { file: key.txt }
  session: { random: 32 }
  token: { value: hidden-2 }
instances:
  main: { databases: [a, b], users: { app: { password: { secret: session } }, root: { password: hidden-3 } } }
buckets: [open-or-not]
services:
  api:
    dir: api
    args: [a, "b c"]
    env: { A: hidden-4, B: { secret: token } }
    files: [{ mountPath: /s, secret: token, version: 2 }]
    instances: [main]
    serviceAccount: me@x.iam.gserviceaccount.com
    before: ["npm run migrate\\n", [node, -e, "1 + 1"]]
  web: { memory: 1536Mi, cpu: 0.5 }
`,
  })
  const text = newPlanText(await readWanted(folder.path))
  expect(text).not.toContain('hidden')
  const narrow = text.replaceAll(/ {2,}/g, '  ')
  expect(narrow).toBe(`project guestbook  us-central1
secret key  from key.txt  devcloud.yaml:2
secret session  32 random bytes  devcloud.yaml:3
secret token  a value  devcloud.yaml:4
sql main  POSTGRES_15 · databases a, b · users app (password: secret session), root  devcloud.yaml:6
bucket open-or-not  private  devcloud.yaml:7
service api  build api/Dockerfile · port 8080 · 1 CPU · 512Mi · 80 requests at a time · 0 to 100 instances · 300s  devcloud.yaml:9
  process  npm start --silent (without Docker)
  args  a "b c"
  account  me@x.iam.gserviceaccount.com
  env A  a value
  env B  secret token, version latest
  file  /s/token: secret token, version 2
  socket  /cloudsql/guestbook:us-central1:main
  before  npm run migrate
  before  node -e "1 + 1"
service web  run . with "npm start --silent" · port 8080 · 0.5 CPU · 1536Mi · 1 requests at a time · 0 to 100 instances · 300s  devcloud.yaml:17
`)
})
