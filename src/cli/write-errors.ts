// Writes docs/errors.md: node src/cli/write-errors.ts. test/cli/faults.test.ts tells when that is due.
import { writeFileSync } from 'node:fs'
import { errorsText } from './errors-text.ts'

writeFileSync(new URL('../../docs/errors.md', import.meta.url), errorsText())
