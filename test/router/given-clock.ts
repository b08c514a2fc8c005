/** The router's clock, which a test may put forward. */
export function givenClock() {
  let aheadMs = 0
  return {
    nowMs: () => Date.now() + aheadMs,
    ticksMs: () => performance.now() + aheadMs,
    forward: (ms: number) => void (aheadMs += ms),
  }
}
