/** An IPv4 subnet as numbers. */
export interface Subnet {
  readonly base: number
  /** How many addresses, the network's own and the broadcast included. */
  readonly size: number
}

/** What one instance gets. */
export interface InstanceAddress {
  /** The number of the address in the subnet. */
  readonly number: number
  readonly ip: string
  /** 169.254.x.y, from which the forwarder tells `ip` again: see `linkLocalOf`. */
  readonly linkLocal: string
}

/** The forwarder's number in the subnet; 1 is the bridge itself. */
export const forwarderNumber = 2
const firstInstance = 16
/** 169.254.1.0 and what follows, up to the metadata server's own 169.254.169.0. */
const lastInstance = 160 * 256

/** @param text `172.18.0.0/16` */
export function readSubnet(text: string): Subnet {
  const [address = '', bits = ''] = text.split('/')
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return { base, size: 2 ** (32 - Number(bits)) }
}

export function ipOf(subnet: Subnet, number: number): string {
  return dotted(subnet.base + number)
}

/** Number 300 is 169.254.2.44: one added to the third byte, since 169.254.0.0/24 is reserved (RFC 3927, section 2.1). */
function linkLocalOf(number: number): string {
  return dotted(readSubnet('169.254.1.0/24').base + number)
}

/** The next address behind `last`, going around once, that is not taken. Undefined when all are. */
export function nextAddress(subnet: Subnet, last: number, isTaken: (ip: string) => boolean): InstanceAddress | undefined {
  const count = Math.min(subnet.size - 2, lastInstance) - firstInstance + 1
  for (let step = 0; step < count; step++) {
    const number = firstInstance + ((Math.max(0, last + 1 - firstInstance) + step) % count)
    const ip = ipOf(subnet, number)
    if (!isTaken(ip)) return { number, ip, linkLocal: linkLocalOf(number) }
  }
  return undefined
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}
