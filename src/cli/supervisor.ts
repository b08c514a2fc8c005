/**
 * The exit codes of a daemon that crashed: 70 from daemon/crash.ts (EX_SOFTWARE of sysexits.h), and those of the signals that a process sends to itself:
 * SIGILL, SIGTRAP, SIGABRT (V8 out of memory), SIGBUS, SIGSEGV. A daemon that gets SIGTERM or SIGKILL was ended on purpose.
 */
const crashCodes = '70|132|133|134|135|139'
/** Crashes within this many seconds of the start are counted. After the first few, the n-th crash is followed by a pause of n seconds, at most 30. */
const soonSeconds = 10
const atOnce = 2
const longestSeconds = 30
/** A daemon that a signal ends this often in a row is not started again: it may never have run. A daemon that exits with 70 had run. */
const mostSignals = 3

/** The supervisor is a shell script: it takes 1 MB, and what kills a Node process does not kill a shell. */
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

/** The command line that runs `command` and starts it again after a crash. After any other end it exits with the exit code of `command`. */
export function supervised(command: readonly string[]): { readonly file: string; readonly args: readonly string[] } {
  return { file: '/bin/sh', args: ['-c', script, 'devcloud-supervisor', ...command] }
}
