import { isRegion } from '../../api/regions.ts'
import { invalid } from './names.ts'

/** Pairs of regions that have a name. Source: cloud.google.com/storage/docs/locations, "Predefined dual-regions". */
const dualRegions = ['ASIA1', 'EUR4', 'EUR5', 'EUR7', 'EUR8', 'NAM4']
const multiRegions = ['ASIA', 'EU', 'US']
/** Where a bucket may choose its own two regions, beside the multi-regions. Source: the same, "Configurable dual-regions". */
const areas = ['AU', 'CA', 'DE', 'GB', 'IN', 'IT', 'JP', 'KR']

export type LocationType = 'region' | 'dual-region' | 'multi-region'

/** @param location upper case @param isCustom whether the bucket names its two regions itself */
export function locationType(location: string, isCustom: boolean): LocationType {
  if (isCustom || dualRegions.includes(location)) return 'dual-region'
  return multiRegions.includes(location) ? 'multi-region' : 'region'
}

/** @param regions the two that the bucket names itself, upper case @throws CloudError INVALID_ARGUMENT for a place where Google keeps no bucket */
export function checkLocation(location: string, regions: readonly string[] | undefined): void {
  const isKnown =
    regions === undefined
      ? isRegion(location.toLowerCase()) || multiRegions.includes(location) || dualRegions.includes(location)
      : multiRegions.includes(location) || areas.includes(location)
  if (!isKnown) {
    throw invalid(
      `The specified location constraint is not valid: ${location.slice(0, 100)}`,
      'Use a region, EU, US or ASIA, or a dual-region; see cloud.google.com/storage/docs/locations.',
    )
  }
  if (regions === undefined) return
  if (regions.length === 2 && regions[0] !== regions[1] && regions.every((region) => isRegion(region.toLowerCase()))) return
  throw invalid('customPlacementConfig.dataLocations must name two different regions.', 'Send {"dataLocations": ["US-EAST1", "US-WEST1"]}.')
}
