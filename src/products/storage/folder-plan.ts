/** A file as a look at the folder tells it. */
export interface SeenFile {
  readonly sizeBytes: number
  readonly mtimeMs: number
}

/** A file and its object as they were when they were last the same. */
export interface InStep extends SeenFile {
  readonly generation: number
}

export type FolderStep =
  /** The file becomes the object. */
  | { readonly kind: 'upload'; readonly name: string }
  /** The object becomes the file. */
  | { readonly kind: 'download'; readonly name: string }
  | { readonly kind: 'removeObject'; readonly name: string; readonly generation: number }
  | { readonly kind: 'removeFile'; readonly name: string }
  /** Neither is there any more. */
  | { readonly kind: 'forget'; readonly name: string }

/**
 * What brings a folder and its bucket in step again. Pure. Where both changed, the file wins, since it was written by who has not seen the object;
 * but a deleted file does not take a newer object with it.
 * @param before the files at the look before: one that still changes is not closed yet, and waits
 * @param objects generations of the live objects by name
 */
export function folderPlan(
  inStep: ReadonlyMap<string, InStep>,
  before: ReadonlyMap<string, SeenFile>,
  files: ReadonlyMap<string, SeenFile>,
  objects: ReadonlyMap<string, number>,
): FolderStep[] {
  const names = new Set([...inStep.keys(), ...files.keys(), ...objects.keys()])
  return [...names].flatMap((name): FolderStep[] => {
    const known = inStep.get(name)
    const file = files.get(name)
    const generation = objects.get(name)
    if (file !== undefined && !isSame(file, known)) return isSame(file, before.get(name)) ? [{ kind: 'upload', name }] : []
    const hasNewObject = generation !== known?.generation
    if (file === undefined && known !== undefined && generation === undefined) return [{ kind: 'forget', name }]
    if (file === undefined && known !== undefined && !hasNewObject) return [{ kind: 'removeObject', name, generation: known.generation }]
    if (!hasNewObject) return []
    return [generation === undefined ? { kind: 'removeFile', name } : { kind: 'download', name }]
  })
}

/**
 * Names that can be paths below a folder. `a/` is a folder and no file; an object `a` beside `a/b` cannot be a file, and is left out, as gcsfuse
 * does; and nothing leads out of the folder.
 */
export function filesOf(names: Iterable<string>): Set<string> {
  const all = [...names].filter(isPath)
  const folders = new Set(all.flatMap((name) => name.split('/').map((_part, index, parts) => parts.slice(0, index).join('/'))))
  return new Set(all.filter((name) => !name.endsWith('/') && !folders.has(name)))
}

/** `a/b`, or `a/b/` for a folder; no empty part, no dots alone, no NUL, no part longer than a file system takes. */
export function isPath(name: string): boolean {
  const parts = name.replace(/\/$/, '').split('/')
  return parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0') && Buffer.byteLength(part) <= 255)
}

function isSame(file: SeenFile, other: SeenFile | undefined): boolean {
  return other !== undefined && file.sizeBytes === other.sizeBytes && file.mtimeMs === other.mtimeMs
}
