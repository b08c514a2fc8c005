/** Colours of the application: `ESC [ 1 ; 31 m`. */
const colour = /\u001b\[[\d;:]*m/
/** C0 and C1 controls but tab and line feed, and marks that turn the direction of text (bidi) or are seen as nothing. */
const hostile = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
const both = new RegExp(`(${colour.source})|${hostile.source}`, 'g')

/**
 * Text of an application as a terminal may show it: its colours stay and end with the text, everything else that would move the cursor, change the
 * terminal or turn the direction of text is shown as `\x1b` or `\u202e`.
 */
export function printable(text: string): string {
  const shown = text.replace(both, (found: string, sgr: string | undefined) => sgr ?? escaped(found))
  return colour.test(shown) ? `${shown}\u001b[0m` : shown
}

function escaped(letter: string): string {
  const hex = (letter.codePointAt(0) ?? 0).toString(16)
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
}
