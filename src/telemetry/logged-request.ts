/** One finished request, as Cloud Run's request log has it. `revision` and `instance` are empty when none took it. */
export interface LoggedRequest {
  readonly timeMs: number
  readonly project: string
  readonly service: string
  readonly revision: string
  readonly instance: string
  readonly method: string
  /** As the client sent it. */
  readonly target: string
  readonly status: number
  readonly latencyMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly userAgent: string
  readonly remoteIp: string
  /** 32 hex digits. */
  readonly traceId: string
}
