/**
 * What the daemon ends with when it crashes: 70 is its own (EX_SOFTWARE of sysexits.h, daemon/crash.ts), the others are signals that a process
 * sends itself: SIGILL, SIGTRAP, SIGABRT (V8 out of memory), SIGBUS, SIGSEGV. Whoever sends SIGTERM or SIGKILL means it.
 */
const crashCodes = '70|132|133|134|135|139'
/** Crashes so soon after the start count. The first ones are answered at once, later ones after as many seconds as there were, 30 at most. */
const soonSeconds = 10
const atOnce = 2
const longestSeconds = 30
/** A daemon that ends by a signal so often in a row is left: it may never have come up. One that says 70 had. */
const mostSignals = 3

/** A shell and not a Node: it takes 1 MB, and what kills a Node does not kill it. */
const script = `
crashes=0
while :; do
  began=$(date +%s)
  "$@"
  code=$?
  case $code in ${crashCodes}) ;; *) exit $code ;; esac
  if [ $(($(date +%s) - began)) -lt ${soonSeconds} ]; then crashes=$((crashes + 1)); else crashes=1; fi
  if [ $code -ne 70 ] && [ $crashes -ge ${mostSignals} ]; then exit $code; fi
  if [ $crashes -gt ${atOnce} ]; then sleep $((crashes - ${atOnce} < ${longestSeconds} ? crashes - ${atOnce} : ${longestSeconds})); fi
  export DEVCLOUD_CRASHED=$code
done
`

/** The words that run `command` and start it again when it crashes. Ends with its exit code when it ends in any other way. */
export function supervised(command: readonly string[]): { readonly file: string; readonly args: readonly string[] } {
  return { file: '/bin/sh', args: ['-c', script, 'devcloud-supervisor', ...command] }
}
