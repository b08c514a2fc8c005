import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A small disk of a test's own: a tmpfs, which has room and inodes of its own and can be made read-only. Disposed, it is unmounted. */
export interface GivenDisk extends Disposable {
  readonly path: string
  /** Takes all that is left. */
  fill(): void
  /** Gives back what `fill` and `takeInodes` took. */
  free(): void
  takeInodes(): void
  setReadOnly(isReadOnly: boolean): void
}

/** Needs root, as CI is. @param size as mount takes it: `24m` @param inodes default: enough */
export function givenDisk(size: string, inodes = 100_000): GivenDisk {
  const path = mkdtempSync(join(tmpdir(), 'disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},nr_inodes=${inodes}`, 'devcloud-test', path])
  const shell = (line: string) => execFileSync('sh', ['-c', line], { cwd: path, stdio: ['ignore', 'ignore', 'ignore'] })
  return {
    path,
    fill: () => shell('dd if=/dev/zero of=fill bs=4k conv=notrunc oflag=append 2>/dev/null || true'),
    free: () => rmSync(join(path, 'fill'), { recursive: true, force: true }),
    takeInodes() {
      execFileSync('mkdir', ['-p', join(path, 'fill')])
      try {
        for (let n = 0; ; n += 1) writeFileSync(join(path, 'fill', String(n)), '')
      } catch {
        // none is left
      }
    },
    setReadOnly: (isReadOnly) => void execFileSync('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, path]),
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', path])
    },
  }
}

/** Root in CI; elsewhere a user may not mount. */
export const canMount = process.env['CI'] === 'true' || (process.platform === 'linux' && process.getuid?.() === 0)
