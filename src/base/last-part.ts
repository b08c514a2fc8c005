/** The last part of a path or a full resource name: `b` of `projects/p/secrets/b`; the text itself where it has no slash. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}
