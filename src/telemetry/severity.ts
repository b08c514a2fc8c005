/** Google Cloud Logging's severities, lowest first. */
const severities = ['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY'] as const
type Severity = (typeof severities)[number]

/** A line of an application, as Cloud Logging reads it. */
export interface ReadLine {
  readonly severity: Severity
  /** The `message` of a line of JSON, else the line. */
  readonly text: string
}

/**
 * Reads a line of stdout or stderr. One JSON object a line gives its severity and message; plain text has DEFAULT, on stderr too: Cloud Run
 * invents no ERROR. Source: cloud.google.com/run/docs/logging#using-json.
 */
export function readLine(line: string): ReadLine {
  const parsed = line.startsWith('{') ? readObject(line) : undefined
  if (parsed === undefined) return { severity: 'DEFAULT', text: line }
  const told = String(parsed['severity'] ?? '').toUpperCase()
  const severity = severities.find((known) => known === (told === 'WARN' ? 'WARNING' : told)) ?? 'DEFAULT'
  const message = parsed['message']
  return { severity, text: typeof message === 'string' ? message : line }
}

function readObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
