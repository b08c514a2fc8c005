/** One message of a build: `{"stream":"Step 1/4 : FROM node:24\n"}`, `{"aux":{"ID":"sha256:..."}}`, `{"errorDetail":{"message":"..."},"error":"..."}`. */
export interface BuildMessage {
  readonly stream?: string
  readonly status?: string
  readonly id?: string
  readonly progressDetail?: { readonly total?: number }
  readonly aux?: string | { readonly ID?: string }
  readonly error?: string
}

/** Gathers the messages of a builder, the classic one or BuildKit. */
export interface BuildProgress {
  accept(message: BuildMessage): void
  readonly steps: number
  readonly cachedSteps: number
  readonly imageId: string | undefined
  /** The build's error, from a message or from the request itself. */
  error: string | undefined
  /** The instruction that ran last or failed: `RUN npm ci`. */
  readonly step: string | undefined
  /** The line of `dockerfile` on which that instruction begins. Undefined where the line is not known. */
  line(dockerfile: string): number | undefined
  /** The image that could not be pulled, when the build failed for this reason. */
  missingImage(): string | undefined
  /** The last lines of output, then the error. */
  evidence(): string[]
}

/** Whether Docker's message says that an image could not be pulled. */
export function tellsOfPull(error: string): boolean {
  return /pull access denied|manifest|not found|no such host|dial tcp|lookup |i\/o timeout|x509|denied|toomanyrequests|failed to do request/i.test(
    error,
  )
}

/** `dockerfile parse error line 3: unknown instruction: FOO` */
export function parseErrorLine(error: string): number | undefined {
  const line = /dockerfile parse error (?:on )?line (\d+)/i.exec(error)?.[1]
  return line === undefined ? undefined : Number(line)
}
