import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../base/write-whole.ts'

/** The mark of a state directory, `state.json`: which database the directory belongs to. The mark is readable when the database is not. */
export interface StateMark {
  /** The database's own id. */
  readonly id: string
  /** How often the database was opened. A database that was opened less often is an older copy. */
  readonly opened: number
  readonly schema: number
  /** The version of devcloud that opened the database last. */
  readonly version: string
}

const shape = z.object({ id: z.string(), opened: z.number(), schema: z.number(), version: z.string() })

/** The mark of `directory`. Undefined for a missing or unreadable mark. */
export function readMark(directory: string): StateMark | undefined {
  try {
    return shape.parse(JSON.parse(readFileSync(markPath(directory), 'utf8')))
  } catch {
    return undefined
  }
}

export function writeMark(directory: string, mark: StateMark): void {
  writeWhole(markPath(directory), JSON.stringify(mark), 0o600)
}

function markPath(directory: string): string {
  return join(directory, 'state.json')
}
