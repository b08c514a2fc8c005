/** The pattern of each kind of id, with words for an error. Sources: Google's reference of each resource. */
export const rules = {
  project: { pattern: /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, words: '6 to 30 of a-z, 0-9 and -, with a letter first' },
  region: { pattern: /^[a-z]{2,}(-[a-z]+)+[0-9]+$/, words: 'a region, such as us-central1' },
  service: { pattern: /^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/, words: 'at most 49 of a-z, 0-9 and -, with a letter first' },
  job: { pattern: /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, words: 'at most 63 of a-z, 0-9 and -, with a letter first' },
  instance: { pattern: /^[a-z]([a-z0-9-]{0,95}[a-z0-9])?$/, words: 'at most 97 of a-z, 0-9 and -, with a letter first' },
  bucket: { pattern: /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, words: '3 to 63 of a-z, 0-9, -, _ and .' },
  secret: { pattern: /^[A-Za-z0-9_-]{1,255}$/, words: 'at most 255 letters, digits, - and _' },
  version: { pattern: /^(latest|[1-9][0-9]{0,8})$/, words: 'latest or the number of a version' },
  database: { pattern: /^[A-Za-z_][A-Za-z0-9_$-]{0,62}$/, words: 'at most 63 letters, digits, _ and -' },
  user: { pattern: /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,62}$/, words: 'at most 63 letters, digits and _ . @ + -' },
  env: { pattern: /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/, words: 'letters, digits and _, with a letter first' },
  databaseVersion: { pattern: /^POSTGRES_(9_6|1[0-8])$/, words: 'a version of PostgreSQL, POSTGRES_9_6 or POSTGRES_10 to POSTGRES_18' },
} as const

/** Makes a project's id from a folder's name: `My Shop` gives my-shop, `web` gives web-app. */
export function projectIdFor(folder: string): string {
  let id = slug(folder, 30) || 'my'
  while (id.length < 6) id = `${id}-app`
  return id
}

/** Makes a service's id from a folder's name. */
export function serviceIdFor(folder: string): string {
  return slug(folder, 49) || 'app'
}

function slug(text: string, length: number): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, '')
  const joined = plain.replaceAll(/[^a-z0-9]+/g, '-').replace(/^[^a-z]+/, '')
  return joined.slice(0, length).replace(/-+$/, '')
}
