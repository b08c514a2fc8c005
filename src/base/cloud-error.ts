/**
 * The names of google.rpc.Code, with the number that gRPC uses and the HTTP status that REST answers. Source: google/rpc/code.proto, which has 501
 * for UNIMPLEMENTED. devcloud answers 400 instead: Google's Go client for Storage repeats a call after a 5xx without end, gcloud and gsutil repeat
 * the call for half a minute, and none of these clients says why. A 404 would make Terraform forget the resource.
 */
export const codes = {
  CANCELLED: { grpc: 1, http: 499 },
  UNKNOWN: { grpc: 2, http: 500 },
  INVALID_ARGUMENT: { grpc: 3, http: 400 },
  DEADLINE_EXCEEDED: { grpc: 4, http: 504 },
  NOT_FOUND: { grpc: 5, http: 404 },
  ALREADY_EXISTS: { grpc: 6, http: 409 },
  PERMISSION_DENIED: { grpc: 7, http: 403 },
  RESOURCE_EXHAUSTED: { grpc: 8, http: 429 },
  FAILED_PRECONDITION: { grpc: 9, http: 400 },
  ABORTED: { grpc: 10, http: 409 },
  OUT_OF_RANGE: { grpc: 11, http: 400 },
  UNIMPLEMENTED: { grpc: 12, http: 400 },
  INTERNAL: { grpc: 13, http: 500 },
  UNAVAILABLE: { grpc: 14, http: 503 },
  DATA_LOSS: { grpc: 15, http: 500 },
  UNAUTHENTICATED: { grpc: 16, http: 401 },
} as const

export type Code = keyof typeof codes

/** The one error that devcloud throws on purpose. `next` tells a person what to do about the error. */
export class CloudError extends Error {
  override readonly name = 'CloudError'
  readonly code: Code
  readonly next: string
  /** devcloud's own name of the fault: PORT_TAKEN. docs/errors.md lists all names. Over Google's wires the name is the `reason` of an ErrorInfo. */
  readonly fault: string | undefined
  /** What devcloud saw, one line each, newest last. */
  readonly evidence: readonly string[]

  constructor(code: Code, message: string, next: string, options?: ErrorOptions & { fault?: string; evidence?: readonly string[] }) {
    super(message, options)
    this.code = code
    this.next = next
    this.fault = options?.fault
    this.evidence = options?.evidence ?? []
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
