import { invalid } from './errors.ts'

const mebibyte = 1 << 20

/** Shared-core tiers and the smaller standard ones; sizes in bytes. Source: Cloud SQL, "Instance settings", machine types. */
const known = [
  { tier: 'db-f1-micro', ramMiB: 614, diskGiB: 3062 },
  { tier: 'db-g1-small', ramMiB: 1740, diskGiB: 3062 },
  { tier: 'db-custom-1-3840', ramMiB: 3840, diskGiB: 65_536 },
  { tier: 'db-custom-2-7680', ramMiB: 7680, diskGiB: 65_536 },
  { tier: 'db-custom-4-15360', ramMiB: 15_360, diskGiB: 65_536 },
  { tier: 'db-custom-8-30720', ramMiB: 30_720, diskGiB: 65_536 },
] as const

/** A tier is a name that is checked and given back: nothing is allocated by it. @throws CloudError INVALID_ARGUMENT */
export function checkTier(tier: string): void {
  const [, cpus, memory] = /^db-custom-(\d+)-(\d+)$/.exec(tier) ?? []
  if (cpus !== undefined && memory !== undefined) return checkCustom(tier, Number(cpus), Number(memory))
  const isNamed = known.some((item) => item.tier === tier) || /^db-(n1-(standard|highmem)|perf-optimized-N|c4a-highmem)-\d+$/.test(tier)
  if (!isNamed) throw invalid(`Invalid Tier (${tier}).`, 'Use db-f1-micro, or a custom tier such as db-custom-1-3840.')
}

export function listTiers() {
  const items = known.map(({ tier, ramMiB, diskGiB }) => ({
    kind: 'sql#tier',
    tier,
    RAM: String(ramMiB * mebibyte),
    DiskQuota: String(diskGiB * 1024 * mebibyte),
    region: ['us-central1'],
  }))
  return { kind: 'sql#tiersList', items }
}

/** One CPU or an even number up to 96; 0.9 to 6.5 GiB for each, at least 3840 MiB, in steps of 256. */
function checkCustom(tier: string, cpus: number, memoryMiB: number): void {
  const perCpuGiB = memoryMiB / 1024 / cpus
  const isRight =
    (cpus === 1 || (cpus % 2 === 0 && cpus > 0 && cpus <= 96)) &&
    memoryMiB >= 3840 &&
    memoryMiB % 256 === 0 &&
    perCpuGiB >= 0.9 &&
    perCpuGiB <= 6.5
  if (!isRight) {
    throw invalid(
      `Invalid Tier (${tier}).`,
      'Use 1 CPU or an even number up to 96, and 0.9 to 6.5 GiB for each in steps of 256 MiB, at least 3840 MiB.',
    )
  }
}
