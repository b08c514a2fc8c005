import { expect, test } from 'vitest'
import { uidIn } from '../../src/base/peer-owner.ts'

const line = (local: string, remote: string, uid: number, inode = 811, state = '01') =>
  `  0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 ${uid} 0 ${inode} 1 0 20 4 30 10 -1`
const ends = { remoteAddress: '127.0.0.1', remotePort: 0xc350, localAddress: '127.0.0.1', localPort: 0x1f90 }

test('a connection is told from one of the same two ports at another address, whichever the kernel lists first', () => {
  const own = line('0100007F:C350', '0100007F:1F90', 65534)
  // the owner's browser, led to a server of the stranger's at 127.0.0.42 and the daemon's port
  const other = line('0100007F:C350', '2A00007F:1F90', 0, 812)
  expect(uidIn([own, other], ends)).toBe(65534)
  expect(uidIn([other, own], ends)).toBe(65534)
  expect(uidIn([other], ends)).toBeUndefined()
})

test('both families, and IPv4 in IPv6, are found; a socket that nobody holds, and the server side, are not', () => {
  const mapped = '0000000000000000FFFF00000100007F'
  const six = '00000000000000000000000001000000'
  expect(uidIn([line(`${mapped}:C350`, `${mapped}:1F90`, 7)], ends)).toBe(7)
  expect(uidIn([line(`${six}:C350`, `${six}:1F90`, 8)], { ...ends, remoteAddress: '::1', localAddress: '::1' })).toBe(8)
  expect(uidIn([line('0100007F:C350', '0100007F:1F90', 0, 0, '06')], ends)).toBeUndefined()
  expect(uidIn([line('0100007F:C350', '0100007F:1F90', 0, 0)], ends)).toBeUndefined()
  expect(uidIn([line('0100007F:1F90', '0100007F:C350', 0)], ends)).toBeUndefined()
})
