import type { Settings } from './settings.ts'

export interface Entry {
  readonly name: string
  readonly message: string
  readonly picture: string | null
  readonly written_at: Date
}

/** @param pictures the URL that pictures' names are appended to */
export function page({ title, greeting }: Settings, entries: readonly Entry[], pictures: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
  body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
  form { display: grid; gap: .5rem; margin: 1rem 0 2rem }
  article { border-top: 1px solid #ddd; padding: 1rem 0 }
  img { max-width: 100%; max-height: 16rem; display: block; margin-top: .5rem }
  input, textarea, button { font: inherit; padding: .4rem }
  time { color: #666; font-size: .85rem }
</style>
<h1>${escape(title)}</h1>
<p>${escape(greeting)}</p>
<form method="post" action="/entries" enctype="multipart/form-data">
  <label>Name <input name="name" required maxlength="80"></label>
  <label>Message <textarea name="message" required maxlength="2000"></textarea></label>
  <label>Picture <input name="picture" type="file" accept="image/*"></label>
  <button>Sign</button>
</form>
${entries.map((entry) => article(entry, pictures)).join('\n')}
</html>`
}

function article({ name, message, picture, written_at }: Entry, pictures: string): string {
  const image = picture === null ? '' : `<img src="${escape(pictures + encodeURIComponent(picture))}" alt="">`
  return `<article><strong>${escape(name)}</strong> <time>${written_at.toISOString()}</time><p>${escape(message)}</p>${image}</article>`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
