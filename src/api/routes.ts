import type { IncomingHttpHeaders } from 'node:http'
import type { Product } from './product.ts'
import { restMethods, type RestMethod } from './rest-methods.ts'

/** Who answers a request. */
export type Found =
  | { readonly kind: 'rest'; readonly method: RestMethod; readonly variables: Readonly<Record<string, string>> }
  | { readonly kind: 'wires'; readonly product: string }
  | { readonly kind: 'none' }

export interface Routes {
  /** Pure but for `addWire`. @param target as the client sent it: path and query */
  find(verb: string, host: string, target: string): Found
  /** Adds a route of a product's wires: `/storage/v1/b/:bucket`, `/:bucket/*`. */
  addWire(product: string, verbs: readonly string[], url: string): void
}

/**
 * Opens the routes. At a host of Google's the products of the host answer, at the endpoints port all products: first methods of google.api.http, then wires
 * whose path begins with a word, then wires that take any path, such as those of buckets.
 */
export function openRoutes(products: readonly Product[]): Routes {
  const rest = products.map((product) => ({ product, methods: product.services.flatMap(restMethods) }))
  const wires: { readonly product: string; readonly verbs: readonly string[]; readonly path: RegExp; readonly isLiteral: boolean }[] = []
  return {
    find(verb, host, target) {
      const path = pathOf(target)
      const own = products.filter((product) => product.hosts.some((pattern) => matchesHost(pattern, host)))
      const asked = new Set((own.length > 0 ? own : products).map((product) => product.name))
      for (const { product, methods } of rest) {
        if (!asked.has(product.name)) continue
        for (const method of methods) {
          const variables = method.verb === verb ? method.template.match(path) : undefined
          if (variables !== undefined) return { kind: 'rest', method, variables }
        }
      }
      const matching = wires.filter((wire) => asked.has(wire.product) && wire.verbs.includes(verb) && wire.path.test(path))
      const wire = matching.find(({ isLiteral }) => isLiteral) ?? matching[0]
      return wire === undefined ? { kind: 'none' } : { kind: 'wires', product: wire.product }
    },
    addWire: (product, verbs, url) => void wires.push({ product, verbs, path: toExpression(url), isLiteral: /^\/\w/.test(url) }),
  }
}

/** Whether a host matches a pattern: `*.storage.googleapis.com` matches one label or more, `*-run.googleapis.com` a region. */
export function matchesHost(pattern: string, host: string): boolean {
  return pattern.startsWith('*') ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length : host === pattern
}

/** The host of a request in lower case, without port. HTTP/2 has the host in `:authority`. */
export function hostOf(headers: IncomingHttpHeaders): string {
  return authorityOf(headers).replace(/:\d+$/, '').toLowerCase()
}

export function authorityOf(headers: IncomingHttpHeaders): string {
  const authority = headers[':authority']
  return headers.host ?? (typeof authority === 'string' ? authority : '')
}

/** The path as the client sent it: nothing is decoded, no dots are resolved. */
export function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '/'
}

/** Compiles a pattern of fastify, exactly enough to tell products apart: `/:a` is a segment, `::` a colon, `*` any text. */
function toExpression(url: string): RegExp {
  const source = url.replaceAll(/::|:\w+(?:\([^)]*\))?\??|\*|[.+?^${}()|[\]\\]/g, (part) => {
    if (part === '::') return ':'
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : `\\${part}`
  })
  return new RegExp(`^${source}$`)
}
