import { openOutput } from '../../output.ts'
import type { WideOptions } from './scope.ts'

/** Steps of what takes time, told on stderr. */
export interface Progress {
  /** Runs `work`, and tells of its end with what it answers. */
  step<T>(name: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>
  /** Output of a build and the like: shown to a terminal. */
  line(text: string): void
  note(text: string): void
}

export function openProgress({ format, json }: WideOptions): Progress {
  const output = openOutput({})
  const isQuiet = format !== undefined || json === true
  return {
    async step(name, work) {
      const began = performance.now()
      let detail = ''
      const tell = (state: 'done' | 'failed') => {
        if (!isQuiet || state === 'failed')
          output.step({ kind: 'step', id: name, name, state, detail, ms: Math.round(performance.now() - began) })
      }
      try {
        const answer = await work((text) => (detail = text))
        tell('done')
        return answer
      } catch (error) {
        tell('failed')
        throw error
      }
    },
    line: (text) => output.step({ kind: 'line', source: '', text }),
    note: (text) => output.note(text),
  }
}
