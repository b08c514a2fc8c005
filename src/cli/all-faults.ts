import type { Fault } from '../base/fault.ts'
import { faults } from './faults.ts'

/** The faults of devcloud and of every product, by code. */
export async function allFaults(): Promise<Readonly<Record<string, Fault>>> {
  const { offers } = await import('../daemon/catalog.ts') // it takes a second: every product's
  return Object.assign({}, faults, ...offers.map((offer) => offer.faults ?? {})) as Readonly<Record<string, Fault>>
}
