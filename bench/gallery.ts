import { copyExample } from './examples.ts'
import type { BenchResult } from './result.ts'
export async function gallery(_tell: (text: string) => void): Promise<BenchResult> {
  copyExample('gallery')[Symbol.dispose]()
  return { ratios: {} }
}
