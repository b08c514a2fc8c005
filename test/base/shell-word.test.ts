import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { shellWord } from '../../src/base/shell-word.ts'

test('a shell reads every word back as it was, and plain words have no quotes', () => {
  const words = ['plain', '--flag=a/b:c', '', 'a b', "it's", '$HOME', '`x`', 'a;b', '*', 'new\nline', '~', '"', '\\']
  const read = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], { encoding: 'utf8' })
  expect(read.split('\0').slice(0, -1)).toEqual(words)
  expect(['plain', '--flag=a/b:c'].map(shellWord)).toEqual(['plain', '--flag=a/b:c'])
})
