import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { hasTool } from '../../clients/has-tool.ts'
import { formatCases, formatResources } from './format-cases.ts'

/** Prints the resources in each format with gcloud's own printers; standard input has both, as JSON. */
const program = `
import io, json, sys
from googlecloudsdk.core.resource import resource_printer
resources, formats = json.load(sys.stdin)
told = []
for text in formats:
  out = io.StringIO()
  resource_printer.Print(resources, text, out=out)
  told.append(out.getvalue())
json.dump(told, sys.stdout)
`

describe.runIf(hasTool('gcloud'))('the formats', () => {
  test('are printed as the gcloud of this machine prints them', { timeout: 120_000 }, () => {
    const python = (script: string, input: string, path: string) =>
      execFileSync('python3', ['-c', script], { input, encoding: 'utf8', env: { ...process.env, PYTHONPATH: path } })
    const root = execFileSync('gcloud', ['info', '--format=value(installation.sdk_root)'], { encoding: 'utf8' }).trim()
    const formats = formatCases.map(([format]) => format)
    const told = JSON.parse(python(program, JSON.stringify([formatResources, formats]), `${root}/lib:${root}/lib/third_party`)) as string[]
    expect(Object.fromEntries(formats.map((format, i) => [format, told[i]]))).toEqual(Object.fromEntries(formatCases))
  })
})
