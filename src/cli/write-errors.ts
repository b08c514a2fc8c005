// Writes docs/errors.md: node src/cli/write-errors.ts. test/cli/faults.test.ts fails when the page is old.
import { writeFileSync } from 'node:fs'
import { errorsText } from './errors-text.ts'

writeFileSync(new URL('../../docs/errors.md', import.meta.url), errorsText())
