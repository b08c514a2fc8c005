/** An annotation of a service: seconds. `idleSeconds` of devcloud.yaml becomes it; it makes no new revision. */
export const idleAnnotation = 'devcloud.dev/idle-seconds'

/**
 * How long an instance that is not needed is kept, in ms. Cloud Run keeps it for 15 minutes at most, and often for less; that is what
 * DEVCLOUD_IDLE_SECONDS=900 gives. Here it is 5 minutes: an instance without a request is paused and costs memory alone, but a laptop has less of
 * that than a datacenter, and a developer shall meet in an hour of work what comes of scaling to zero, not first in production.
 * @param annotations the service's: what it says of itself comes before what is said to the daemon
 */
export function idleLimitMs(
  annotations: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const told = [annotations[idleAnnotation], env['DEVCLOUD_IDLE_SECONDS']].map(Number).find((seconds) => seconds > 0 && seconds < Infinity)
  return told === undefined ? developmentIdleMs : told * 1000
}

const developmentIdleMs = 300_000
