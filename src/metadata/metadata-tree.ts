/** What the metadata server says to one caller: a directory holds entries by the words of their paths, a leaf is text, a number or a list. */
export type MetadataNode = MetadataDirectory | Leaf
export interface MetadataDirectory {
  readonly [word: string]: MetadataNode
}
/** A list is printed one entry a line. */
export type Leaf = string | number | readonly string[]

/** The instance that asks. */
export interface MetadataIdentity {
  readonly project: string
  /** The email of the service account that the instance runs as. */
  readonly email: string
  /** The instance's id, long hexadecimal text, as in the logs. */
  readonly instanceId: string
}

export interface MetadataProject {
  readonly id: string
  readonly number: string
  readonly region: string
}

/** The scopes of every account. Source: cloud.google.com/run/docs/container-contract, "Instance metadata server". */
export const instanceScopes: readonly string[] = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
]

/** Everything below /computeMetadata/v1 except tokens, which a recursive answer leaves out too. Pure. */
export function metadataTree(identity: MetadataIdentity, project: MetadataProject): MetadataDirectory {
  const account = { aliases: ['default'], email: identity.email, scopes: instanceScopes }
  return {
    instance: {
      id: identity.instanceId,
      region: `projects/${project.number}/regions/${project.region}`,
      'service-accounts': { [identity.email]: account, default: account },
      zone: `projects/${project.number}/zones/${project.region}-1`,
    },
    project: { 'numeric-project-id': Number(project.number), 'project-id': project.id },
    universe: { 'universe-domain': 'googleapis.com' },
  }
}

/** The node at the path `words`. Undefined for a path without a node. */
export function nodeAt(tree: MetadataDirectory, words: readonly string[]): MetadataNode | undefined {
  let node: MetadataNode | undefined = tree
  for (const word of words) {
    if (!isDirectory(node) || !Object.hasOwn(node, word)) return undefined
    node = node[word]
  }
  return node
}

export function isDirectory(node: MetadataNode | undefined): node is MetadataDirectory {
  return typeof node === 'object' && !Array.isArray(node)
}

/** `email\nscopes\n`; directories end in a slash. */
export function toListing(directory: MetadataDirectory): string {
  return entryNames(directory)
    .map((name) => `${name}\n`)
    .join('')
}

export function entryNames(directory: MetadataDirectory): readonly string[] {
  return Object.entries(directory).map(([name, node]) => (isDirectory(node) ? `${name}/` : name))
}

/** What `?recursive=true` answers: the words of paths become camelCase keys, emails stay as they are. */
export function toRecursive(node: MetadataNode): unknown {
  if (!isDirectory(node)) return node
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [toCamelCase(name), toRecursive(value)]))
}

/** What `?recursive=true&alt=text` answers: `service-accounts/default/email x@y` a line. */
export function toRecursiveText(node: MetadataNode, path = ''): string {
  if (isDirectory(node)) {
    return Object.entries(node)
      .map(([name, value]) => toRecursiveText(value, path === '' ? name : `${path}/${name}`))
      .join('')
  }
  return toLines(node)
    .map((line) => `${path} ${line}\n`)
    .join('')
}

/** A leaf as text: no line end after a single value, one after each line of a list. */
export function toText(leaf: Leaf): string {
  return typeof leaf === 'object'
    ? toLines(leaf)
        .map((line) => `${line}\n`)
        .join('')
    : String(leaf)
}

function toLines(leaf: Leaf): readonly string[] {
  return typeof leaf === 'object' ? leaf : [String(leaf)]
}

function toCamelCase(word: string): string {
  return word.includes('@') ? word : word.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
