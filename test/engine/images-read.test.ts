import { expect, test } from 'vitest'
import { imagesRead } from '../../src/engine/docker/source-digest.ts'

test('the images that a Dockerfile reads are told: bases, and what COPY --from names', () => {
  const text = `FROM --platform=linux/amd64 golang:1.26 AS build
COPY --from=busybox:1 /bin/sh /bin/sh
RUN go build
FROM build AS again
FROM scratch
COPY --from=build /app /app
COPY --from=0 /x /x
COPY --from=Again /y /y
`
  expect(imagesRead(text)).toEqual(['golang:1.26', 'busybox:1'])
})

test.each([
  'ARG BASE=node:24\nFROM $BASE',
  'FROM a\nADD https://example.com/x /x',
  'FROM a\nADD --chown=1 git@example.com:x.git /x',
  'FROM a\nCOPY --from=${STAGE} /x /x',
  'FROM a\nRUN --mount=type=bind,from=b,target=/b true',
])('where a build reads more than images and its context, only the build can tell: %j', (text) => {
  expect(imagesRead(text)).toBeUndefined()
})
