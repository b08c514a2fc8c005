import { lastPart } from '../../../base/last-part.ts'

/** Parts of a full resource name: `projects/P/locations/R/services/S`, or of what is below it. */
export function partsOf(name: string): { readonly project: string; readonly region: string; readonly id: string } {
  const [, project = '', , region = ''] = name.split('/')
  return { project, region, id: lastPart(name) }
}
