// Writes docs/errors.md: npm run write. test/cli/faults.test.ts fails when the page is old.
import { writeFileSync } from 'node:fs'
import { errorsText } from '../src/cli/errors-text.ts'

writeFileSync(new URL('../docs/errors.md', import.meta.url), await errorsText())
