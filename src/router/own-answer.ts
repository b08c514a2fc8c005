/** An answer that the router makes itself, whatever the client speaks. */
export interface OwnAnswer {
  readonly status: number
  readonly body: string
  readonly html?: boolean
  readonly location?: string
  readonly wwwAuthenticate?: string | undefined
}
