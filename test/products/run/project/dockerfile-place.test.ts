import { expect, test } from 'vitest'
import { dockerfilePlace } from '../../../../src/products/run/project/dockerfile-place.ts'

test.each([
  ['the last ENTRYPOINT goes before CMD', 'FROM a\nENTRYPOINT a\nCMD b\n', 2],
  ['only the last stage counts', 'FROM a\nCMD a\nFROM b\nRUN x\n', 3],
  ['words are read in any case', 'from a\ncmd b\n', 2],
  ['continued lines are not instructions', 'FROM a\nCMD x\nRUN a \\\n# c\n\n  CMD b\n', 2],
  ['here-documents are not instructions', 'FROM a\nCMD x\nRUN <<-"EOF"\nCMD b\n\tEOF\nEXPOSE 80\n', 2],
  ['lines may end as on Windows', 'FROM a\r\nRUN x \\\r\n  CMD y\r\nCMD z\r\n', 4],
  ['an empty file begins at its first line', '', 1],
])('%s', (_, text, line) => {
  expect(dockerfilePlace(text, 'Dockerfile')).toEqual({ file: 'Dockerfile', line, column: 1 })
})
