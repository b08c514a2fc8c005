/** Escape sequences for colours: `ESC [ 1 ; 31 m`. */
const colour = /\u001b\[[\d;:]*m/
/** C0 and C1 controls except tab and line feed, marks that change the direction of text (bidi), and invisible characters. */
const hostile = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
const both = new RegExp(`(${colour.source})|${hostile.source}`, 'g')

/**
 * Makes an application's text safe for a terminal. Colours stay and end with the text. Every other character that would move the cursor, change the
 * terminal or change the direction of text is printed as `\x1b` or `\u202e`.
 */
export function printable(text: string): string {
  const shown = text.replace(both, (found: string, sgr: string | undefined) => sgr ?? escaped(found))
  return colour.test(shown) ? `${shown}\u001b[0m` : shown
}

function escaped(letter: string): string {
  const hex = (letter.codePointAt(0) ?? 0).toString(16)
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
}
