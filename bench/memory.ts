import { readFileSync, writeFileSync } from 'node:fs'

const kbOfMb = 1024

/** Resident memory of a process now. Linux. */
export function residentMb(pid: number): number {
  return field(pid, 'VmRSS')
}

/** The most that it ever had, or had since `forgetPeak`. */
export function peakMb(pid: number): number {
  return field(pid, 'VmHWM')
}

/** Source: proc(5), clear_refs: 5 resets the peak resident set size. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Seconds of CPU that it used since it began. Source: proc(5), stat: utime and stime are the 14th and 15th field, in ticks of 10 ms. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** The process and those that it started: nginx works in a child. */
export function cpuSecondsOfAll(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return children.filter((child) => child !== '').reduce((sum, child) => sum + cpuSecondsOfAll(Number(child)), cpuSeconds(pid))
}

/** `VmRSS:	   12345 kB` */
function field(pid: number, name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) / kbOfMb
}
