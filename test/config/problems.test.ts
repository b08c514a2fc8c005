import { expect, test } from 'vitest'
import { faultOf, problemsOf } from './project-folder.ts'

test('every problem is told at once, with its place and what to write instead', async () => {
  const problems = await problemsOf(`project: Shop
secrets:
  both: { random: 24, value: x }
  number: { value: 12345 }
  gone: { file: gone.txt }
  out: { file: ../x }
instances:
  main: { databses: [shop], users: { app: { password: 5 } } }
buckets: [UP, 3]
services:
  web:
    env: { A: 3000, PORT: "1", DB: { secrt: db-password } }
    files: [{ mountPath: secrets, secret: token }]
    instances: [man]
    memory: 512MB
    cpu: many
    port: "80"
    scaling: { min: 5, max: 1 }
  Web: {}
  other: { instances: [mian], dir: nope }
`)
  expect(problems).toEqual([
    'devcloud.yaml:1:10  "Shop" does not fit; write 6 to 30 of a-z, 0-9 and -, with a letter first',
    'devcloud.yaml:3:9  this does not fit; write exactly one of value, file and random',
    'devcloud.yaml:4:20  here is a number; write it in quotes',
    'devcloud.yaml:5:17  there is no file "gone.txt"; write the path of one',
    'devcloud.yaml:6:16  "../x" leads out of the project; write a path within its folder',
    'devcloud.yaml:8:11  unknown key "databses"; write "databases"',
    'devcloud.yaml:8:55  here is a number; write it in quotes or keys and values',
    'devcloud.yaml:9:11  "UP" does not fit; write 3 to 63 of a-z, 0-9, -, _ and .',
    'devcloud.yaml:9:15  "3" is a number; write it in quotes: "3"',
    'devcloud.yaml:12:15  here is a number; write it in quotes or keys and values',
    'devcloud.yaml:12:21  "PORT" cannot be a name here; write another name: Cloud Run sets this one itself',
    'devcloud.yaml:12:38  unknown key "secrt"; write "secret"',
    'devcloud.yaml:13:26  "secrets" does not fit; write an absolute path such as /secrets, outside /cloudsql, /dev, /proc and /sys',
    'devcloud.yaml:15:13  "512MB" does not fit; write 128Mi to 32Gi, such as 512Mi or 1Gi',
    'devcloud.yaml:16:10  "many" does not fit; write 0.08 to 8 CPUs, such as 1 or 500m',
    'devcloud.yaml:17:11  "80" is text; write a whole number from 1 to 65535',
    'devcloud.yaml:18:14  this does not fit; write a min that is not above max (100 when it is not written)',
    'devcloud.yaml:19:3  "Web" cannot be a name here; write at most 49 of a-z, 0-9 and -, with a letter first',
    'devcloud.yaml:20:24  the Cloud SQL instance "mian" is not declared; write "main"',
    'devcloud.yaml:20:36  there is no folder "nope"; write the path of one',
  ])
})

test('the title counts the problems and names the files', async () => {
  const fault = await faultOf({ 'package.json': '{', 'devcloud.yaml': 'regoin: x\nproject: 1\n' })
  expect(fault).toMatchObject({ code: 'INVALID_ARGUMENT', fault: 'CONFIG_INVALID', message: '3 problems in devcloud.yaml, package.json' })
  expect(fault.evidence[0]).toBe('devcloud.yaml:1:1  unknown key "regoin"; write "region"')
})

test.each([
  [
    'a key written twice',
    'region: us-east1\nregion: us-east1\n',
    'devcloud.yaml:2:1  the key "region" is here a second time; write it once',
  ],
  ['two services with one id', 'services:\n  a: {}\n  a: {}\n', 'devcloud.yaml:3:3  the key "a" is here a second time; write it once'],
  ['a tab', 'services:\n\tweb: {}\n', 'devcloud.yaml:2:1  a tab indents this line; write spaces'],
  ['another type at the top', '- a\n', 'devcloud.yaml:1:1  here is a list; write keys and values'],
  ['a section of another type', 'services: web\n', 'devcloud.yaml:1:11  "web" is text; write names, each with its values'],
  ['a word for a boolean', 'buckets: { abc: { public: yes } }\n', 'devcloud.yaml:1:27  "yes" is text; write true or false'],
  [
    'an unknown key like no other',
    'volumes: {}\n',
    'devcloud.yaml:1:1  unknown key "volumes"; known here: project, region, secrets, instances, buckets, services, jobs',
  ],
  [
    'a second document',
    'region: us-east1\n---\nregion: us-east1\n',
    'devcloud.yaml:3:1  a second document begins here; write everything into one',
  ],
  ['a merge key', 'services:\n  a: &a {}\n  web: { <<: *a }\n', 'devcloud.yaml:3:10  "<<" is not a key here; write the keys out'],
  ['the prototype as a key', 'services: { __proto__: {} }\n', 'devcloud.yaml:1:13  "__proto__" is not a key here; write the keys out'],
  ['an unknown tag', 'region: !env X\n', 'devcloud.yaml:1:9  Unresolved tag; mend the YAML here'],
  ['an alias of nothing', 'region: *gone\n', 'devcloud.yaml:1:9  *gone has no value to stand for; write the value'],
  ['an alias of itself', 'services: &a { web: *a }\n', 'devcloud.yaml:1:21  *a has no value to stand for; write the value'],
  [
    'an undeclared instance',
    'services: { web: { instances: [main] } }\n',
    'devcloud.yaml:1:32  the Cloud SQL instance "main" is not declared; write "instances: { main: {} }" in devcloud.yaml',
  ],
  [
    'an instance of another project',
    'instances: { main: }\nservices: { web: { instances: ["p:us-central1:main"] } }\n',
    'devcloud.yaml:2:32  "p:us-central1:main" is not an instance of project guestbook in us-central1; write "guestbook:us-central1:main"',
  ],
  [
    'half a connection name',
    'instances: { main: }\nservices: { web: { instances: ["us-central1:main"] } }\n',
    'devcloud.yaml:2:32  "us-central1:main" names no Cloud SQL instance; write PROJECT:REGION:ID',
  ],
  [
    'two secrets in one folder',
    'services: { web: { files: [{ mountPath: /s, secret: a }, { mountPath: /s, secret: b }] } }\n',
    'devcloud.yaml:1:58  /s holds files of "a" already; write another mountPath',
  ],
  [
    'a file that leads upwards',
    'services: { web: { files: [{ mountPath: /s, secret: a, path: a/../../b }] } }\n',
    'devcloud.yaml:1:62  "a/../../b" does not fit; write a path within mountPath, such as password',
  ],
  [
    'an image beside a folder',
    'services: { web: { image: a, dir: . } }\n',
    'devcloud.yaml:1:27  an image is here beside a folder to build; write one of them',
  ],
  [
    'MySQL',
    'instances: { main: { version: MYSQL_8_0 } }\n',
    'devcloud.yaml:1:31  "MYSQL_8_0" does not fit; write a version of PostgreSQL, POSTGRES_9_6 or POSTGRES_10 to POSTGRES_18',
  ],
  [
    'an empty command',
    'services: { web: { command: [] } }\n',
    'devcloud.yaml:1:29  this does not fit; write a list with at least one word, such as [node, server.js]',
  ],
])('%s is told', async (_, devcloud, line) => {
  expect(await problemsOf(devcloud)).toEqual([line])
})

test('a reference to a secret that is not declared is fine, since it may exist by other means', async () => {
  const fault = await faultOf({ 'devcloud.yaml': 'services: { web: { env: { A: { secret: other } } } }\n' })
  expect(fault.evidence).toEqual([
    'devcloud.yaml:1:13  the service "web" has nothing to run; write a Dockerfile, or "image" or "command" for it in devcloud.yaml',
  ])
})

test('what may be secret never stands in a problem', async () => {
  const problems = await problemsOf(`secrets: { a: { value: 987654321 } }
instances: { main: { users: { app: { password: 987654321 } } } }
services: { web: { env: { A: 987654321, B: [987654321] } } }
`)
  expect(problems).toHaveLength(4)
  expect(problems.join('\n')).not.toContain('987654321')
})

test('a file that is no text, too large, or no file is told', async () => {
  expect(await problemsOf('#'.repeat(2 ** 20 + 1))).toEqual([
    `devcloud.yaml:1:1  devcloud.yaml has ${2 ** 20 + 1} bytes; at most ${2 ** 20} are read`,
  ])
  const notText = await faultOf({ 'devcloud.yaml': Uint8Array.of(0xff, 0xfe, 0) })
  expect(notText.evidence).toEqual(['devcloud.yaml:1:1  this is not UTF-8 text; save the file as UTF-8'])
  const folder = await faultOf({ 'devcloud.yaml/x': '' })
  expect(folder.evidence).toEqual(['devcloud.yaml:1:1  devcloud.yaml is not a file; write a text file there'])
})

test('a secret larger than Secret Manager takes is told', async () => {
  const fault = await faultOf({ 'big.bin': new Uint8Array(65_537), 'devcloud.yaml': 'secrets: { big: { file: big.bin } }\n' })
  expect(fault.evidence).toEqual(['devcloud.yaml:1:25  big.bin has 65537 bytes; at most 65536 are read'])
})

test('of a hundred problems, fifty are told and the rest is counted', async () => {
  const problems = await problemsOf(`services: { ${Array.from({ length: 100 }, (_, i) => `w${i}: 1`).join(', ')} }`)
  expect(problems).toHaveLength(51)
  expect(problems.at(-1)).toBe('and 50 more')
})
