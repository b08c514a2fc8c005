import { expect, test } from 'vitest'
import { printable } from '../../src/cli/printable.ts'

/** S20: what has been used against terminals, each with what is shown instead. */
const corpus: readonly (readonly [hostile: string, shown: string])[] = [
  ['\x1b]52;c;aGFjaw==\x07', '\\x1b]52;c;aGFjaw==\\x07'],
  ['\x1b]8;;http://evil\x1b\\link', '\\x1b]8;;http://evil\\x1b\\link'],
  ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
  ['\x1b[2J\x1b[H', '\\x1b[2J\\x1b[H'],
  ['\x1b[?1049h', '\\x1b[?1049h'],
  ['\x1b[6n\x1b[c', '\\x1b[6n\\x1b[c'],
  ['\x1b[1A\x1b[K', '\\x1b[1A\\x1b[K'],
  ['\x1bP$q"p\x1b\\', '\\x1bP$q"p\\x1b\\'],
  ['\x1b_apc\x1b\\', '\\x1b_apc\\x1b\\'],
  ['\x1bc', '\\x1bc'],
  ['\x9b2J', '\\x9b2J'],
  ['\x9d52;c;x\x9c', '\\x9d52;c;x\\x9c'],
  ['\x90payload\x9c', '\\x90payload\\x9c'],
  ['safe\rover', 'safe\\x0dover'],
  ['ab\b\bcd', 'ab\\x08\\x08cd'],
  ['\x07bell\x7f', '\\x07bell\\x7f'],
  ['\x0e\x0f\x05\0', '\\x0e\\x0f\\x05\\x00'],
  ['\u202Eevil\u202C', '\\u202eevil\\u202c'],
  ['\u2066a\u2069\u200F\u061C', '\\u2066a\\u2069\\u200f\\u061c'],
  ['a\u200Bb\uFEFF\u2028', 'a\\u200bb\\ufeff\\u2028'],
  ['\x1b[31', '\\x1b[31'],
  ['\x1b[31mred', '\x1b[31mred\x1b[0m'],
  ['\x1b[38:5:1mred\x1b[m', '\x1b[38:5:1mred\x1b[m\x1b[0m'],
  ['tab\tand ünïcödé 日本 🎉\nline', 'tab\tand ünïcödé 日本 🎉\nline'],
]

test('what an application prints can colour a terminal and do nothing else to it', () => {
  for (const [hostile, shown] of corpus) expect(printable(hostile)).toBe(shown)
})
