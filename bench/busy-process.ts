// `node busy-process.ts SHARE`: takes a share of one core, 10 ms at a time.
const share = Number(process.argv[2])
const busyMs = 10

function work(): void {
  const end = performance.now() + busyMs
  while (performance.now() < end);
  setTimeout(work, share >= 1 ? 0 : busyMs / share - busyMs)
}

if (share > 0) work()
