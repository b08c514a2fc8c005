import { Session } from 'node:inspector/promises'

/** No request may hold the loop for longer, in CPU time of the main thread. */
const limitMs = 20
const tries = 4
/** What the yardstick below takes on a machine of two cores that has nothing else to do; beside other work caches are shared, and all is slower. */
const yardstickMs = 15

/**
 * Fails when `work` holds the event loop of this process for more than 20 ms in one turn, and says which functions did.
 * CPU time of the thread counts, not time on the wall, and the least of several tries, measured by a yardstick: other work on the machine,
 * compilation and a major collection of garbage do not decide.
 */
export async function expectShortTurns(name: string, work: () => Promise<unknown>): Promise<void> {
  let least = Infinity
  for (let attempt = 0; attempt < tries && least > limitMs; attempt += 1) least = Math.min(least, (await longestTurn(work)) / slowness())
  if (least <= limitMs) return
  throw new Error(`${name} held the loop for ${least.toFixed(0)} ms. ${await whoDid(work)}`)
}

const yardstick = Array.from({ length: 20_000 }, (_, index) => ({ [`key-${index}`]: String(index) }))

/** How many times slower than a quiet one this machine is now; never below 1. */
function slowness(): number {
  const before = process.threadCpuUsage()
  JSON.parse(JSON.stringify(yardstick))
  const { user, system } = process.threadCpuUsage(before)
  return Math.max(1, (user + system) / 1000 / yardstickMs)
}

/** Milliseconds of CPU time in the longest turn of the loop while `work` is under way. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let isOver = false
  let before = process.threadCpuUsage()
  const turn = () => {
    const { user, system } = process.threadCpuUsage(before)
    longest = Math.max(longest, (user + system) / 1000)
    before = process.threadCpuUsage()
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  try {
    await work()
    await new Promise((resolve) => setImmediate(resolve))
    return longest
  } finally {
    isOver = true
  }
}

/** The functions that took most of the time themselves, by a profile of one more try. */
async function whoDid(work: () => Promise<unknown>): Promise<string> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 500 })
  await session.post('Profiler.start')
  await work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  const own = profile.nodes
    .map(({ callFrame, hitCount = 0 }) => ({
      where: `${callFrame.functionName || 'anonymous'} (${shortUrl(callFrame.url)}:${callFrame.lineNumber + 1})`,
      hitCount,
    }))
    .filter(({ where }) => !/^\((idle|root|program)\)|loop-watchdog|node:inspector/.test(where))
    .toSorted((a, b) => b.hitCount - a.hitCount)
  return own.slice(0, 4).map(({ where, hitCount }) => `${where} ${(hitCount / 2).toFixed(0)} ms`).join(', ') // prettier-ignore
}

function shortUrl(url: string): string {
  return url.replace(/^.*?\/((src|test|node_modules)\/.*)$/, '$1').replace(/\?.*$/, '')
}
