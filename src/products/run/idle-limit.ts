/**
 * How long an instance that is not needed is kept, in ms. Cloud Run keeps it for 15 minutes at most, and often for less; that is what
 * DEVCLOUD_IDLE_SECONDS=900 gives. Here it is 5 minutes: an instance without a request is paused and costs memory alone, but a laptop has less of
 * that than a datacenter, and a developer shall meet in an hour of work what comes of scaling to zero, not first in production.
 */
export function idleLimitMs(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const seconds = Number(env['DEVCLOUD_IDLE_SECONDS'] || 'NaN')
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : developmentIdleMs
}

const developmentIdleMs = 300_000
