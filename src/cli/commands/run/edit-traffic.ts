import { lastPart } from '../../../base/last-part.ts'
import { readCount, readList, readPairs, usage, type Given } from './flag-values.ts'
import { toLatestType, toRevisionType, type ServiceJson, type TrafficJson } from './run-json.ts'

/** What takes traffic, by revision's id or LATEST: how much, under which tags. */
interface Share {
  readonly target: string
  readonly percent: number
  readonly tags: readonly string[]
}

const latest = 'LATEST'

/** update-traffic: who takes which share. Tags stay where they are unless told. @throws CloudError USAGE */
export function editTraffic(service: ServiceJson, given: readonly Given[]): readonly TrafficJson[] {
  const of = (flag: string) => given.filter((one) => one.flag === flag)
  let shares = editTags(sharesOf(service), given)
  const exclusive = ['to-latest', 'to-revisions', 'to-tags'].filter((flag) => of(flag).length > 0)
  if (exclusive.length > 1)
    throw usage(`At most one of ${exclusive.map((flag) => `--${flag}`).join(' | ')} can be specified.`, 'Leave one out.')
  if (of('to-latest').length > 0) shares = assign(shares, new Map([[latest, 100]]))
  for (const one of of('to-revisions'))
    shares = assign(
      shares,
      readPercents(one, (name) => name),
    )
  for (const one of of('to-tags')) {
    const targetOf = (tag: string) => {
      const found = shares.find(({ tags }) => tags.includes(tag))?.target
      if (found !== undefined) return found
      throw usage(`Provided tag [${tag}] does not exist.`, 'devcloud run services describe shows the tags that there are.')
    }
    shares = assign(shares, readPercents(one, targetOf))
  }
  return toTraffic(shares)
}

/** Deploying with `--no-traffic`: the share of LATEST goes to the revision that it stands for now. @throws CloudError USAGE */
export function withoutTraffic(service: ServiceJson): readonly TrafficJson[] {
  const ready = lastPart(service.latestReadyRevision ?? '')
  if (ready === '') throw usage('--no-traffic not supported when creating a new service.', 'Leave --no-traffic out.')
  return toTraffic(combine(sharesOf(service).map((share) => (share.target === latest ? { ...share, target: ready } : share))))
}

/** The traffic with `tag` at `revision` and nowhere else. */
export function withTag(traffic: readonly TrafficJson[], tag: string, revision: string): readonly TrafficJson[] {
  return toTraffic(combine([...untagged(toShares(traffic), [tag]), { target: revision, percent: 0, tags: [tag] }]))
}

/** What `traffic` means: an empty one is everything to LATEST. */
function sharesOf({ traffic = [] }: ServiceJson): readonly Share[] {
  return traffic.length === 0 ? [{ target: latest, percent: 100, tags: [] }] : toShares(traffic)
}

function toShares(traffic: readonly TrafficJson[]): readonly Share[] {
  return combine(
    traffic.map(({ type, revision, percent = 0, tag }) => ({
      target: type === toRevisionType ? (revision ?? '') : latest,
      percent,
      tags: tag === undefined || tag === '' ? [] : [tag],
    })),
  )
}

/** One entry that carries the percent, and one of 0 % for each tag, as gcloud writes them; untagged targets of 0 % are left out. */
function toTraffic(shares: readonly Share[]): readonly TrafficJson[] {
  return shares.flatMap(({ target, percent, tags }) => {
    const where = target === latest ? { type: toLatestType } : { type: toRevisionType, revision: target }
    return [...(percent > 0 ? [{ ...where, percent }] : []), ...tags.map((tag) => ({ ...where, tag }))]
  })
}

function editTags(shares: readonly Share[], given: readonly Given[]): readonly Share[] {
  const of = (flag: string) => given.filter((one) => one.flag === flag)
  const all = shares.flatMap(({ tags }) => tags)
  const isCleared = of('clear-tags').length > 0 || of('set-tags').length > 0
  const added = [...of('set-tags'), ...of('update-tags')].flatMap(readPairs)
  const gone = isCleared ? all : [...of('remove-tags').flatMap(({ value }) => readList(value)), ...added.map(([tag]) => tag)]
  return combine([...untagged(shares, gone), ...added.map(([tag, target]) => ({ target, percent: 0, tags: [tag] }))])
}

function untagged(shares: readonly Share[], gone: readonly string[]): readonly Share[] {
  return shares.map((share) => ({ ...share, tags: share.tags.filter((tag) => !gone.includes(tag)) }))
}

/** Gives `wanted` their percents; when they are less than 100, the others share the rest as they shared before. */
function assign(shares: readonly Share[], wanted: ReadonlyMap<string, number>): readonly Share[] {
  const told = [...wanted.values()].reduce((sum, percent) => sum + percent, 0)
  if (told > 100) throw usage(`Over 100% of traffic is specified: ${told}.`, 'Make the percents sum to at most 100.')
  const others = shares.filter(({ target, percent }) => !wanted.has(target) && percent > 0)
  const before = others.reduce((sum, { percent }) => sum + percent, 0)
  if (told < 100 && before === 0) {
    throw usage(`The percents sum to ${told} and no other revision takes traffic.`, 'Make the percents sum to 100.')
  }
  const rest = divide(100 - told, others.map(({ percent }) => percent)) // prettier-ignore
  const kept = shares.map((share) => {
    const index = others.indexOf(share)
    return { ...share, percent: wanted.get(share.target) ?? (index < 0 ? 0 : (rest[index] ?? 0)) }
  })
  const known = new Set(shares.map(({ target }) => target))
  const added = [...wanted].filter(([target]) => !known.has(target)).map(([target, percent]) => ({ target, percent, tags: [] }))
  return [...kept, ...added]
}

/** Whole numbers that sum to `total`, in proportion to `weights`: the largest remainders get what rounding left. */
function divide(total: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0)
  const exact = weights.map((weight) => (sum === 0 ? 0 : (total * weight) / sum))
  const whole = exact.map(Math.floor)
  let left = sum === 0 ? 0 : total - whole.reduce((all, part) => all + part, 0)
  const order = exact.map((part, index) => ({ index, remainder: part - Math.floor(part) })).toSorted((a, b) => b.remainder - a.remainder)
  for (const { index } of order) {
    if (left <= 0) break
    whole[index] = (whole[index] ?? 0) + 1
    left -= 1
  }
  return whole
}

/** One share a target. */
function combine(shares: readonly Share[]): readonly Share[] {
  const byTarget = new Map<string, Share>()
  for (const share of shares) {
    const before = byTarget.get(share.target)
    byTarget.set(
      share.target,
      before === undefined
        ? share
        : { ...share, percent: before.percent + share.percent, tags: [...new Set([...before.tags, ...share.tags])] },
    )
  }
  return [...byTarget.values()]
}

/** `hello-00001-abc=10,LATEST=90` */
function readPercents(one: Given, targetOf: (name: string) => string): ReadonlyMap<string, number> {
  return new Map(readPairs(one).map(([name, percent]) => [targetOf(name), readCount({ flag: one.flag, value: percent }, 0, 100) ?? 0]))
}
