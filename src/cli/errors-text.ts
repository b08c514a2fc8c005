import { exitCodes } from './exit-codes.ts'
import type { Fault } from '../base/fault.ts'
import { allFaults } from './all-faults.ts'
import { googleCodes } from './faults.ts'

/** The whole text of docs/errors.md. */
export async function errorsText(): Promise<string> {
  return `# Errors

<!-- npm run write makes this page from src/cli/faults.ts and src/products/*/faults.ts. -->

When a command fails, its first line names a code. \`devcloud explain CODE\` prints what this page says of it; \`--json\` has the code as \`error.fault\`.
Over Google's wires the code is the \`reason\` of an ErrorInfo, beside Google's own status.

The last column is what the command exits with: ${Object.entries(exitCodes)
    .map(([name, code]) => `${code} ${name}`)
    .join(', ')}.

## Codes of devcloud

${tableOf(await allFaults())}
## Codes of Google

They stand where a fault has no name of devcloud's.

${tableOf(googleCodes)}`
}

function tableOf(table: Readonly<Record<string, Fault>>): string {
  const rows = Object.entries<Fault>(table).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const lines = rows.map(([code, { means, todo, exit }]) => `| ${code} | ${means} | ${todo} | ${exitCodes[exit ?? 'application']} |`)
  return ['| code | what it means | what to do | exit |', '|---|---|---|---|', ...lines, ''].join('\n')
}
