/**
 * The application sees a portless https origin, as on Cloud Run; the browser sees the scheme and port that it typed. What crosses is translated
 * here, so that ALLOWED_HOSTS, SECURE_SSL_REDIRECT, secure cookies and CSRF checks hold on both sides. All functions are pure.
 */
export interface Front {
  readonly scheme: 'http' | 'https'
  /** The host as the application sees it: no port, lower case. */
  readonly host: string
  /** `:8080`, or empty for the scheme's own port. */
  readonly port: string
}

/** `https://guestbook.localhost/a` for what the browser calls `http://guestbook.localhost:8080/a`; foreign URLs stay. */
export function toApplication(url: string, front: Front): string {
  const own = `${front.scheme}://${front.host}${front.port}`
  return startsWithOrigin(url, own) ? `https://${front.host}${url.slice(own.length)}` : url
}

/** The way back, for Location and its like. */
export function toBrowser(url: string, front: Front): string {
  const browser = `${front.scheme}://${front.host}${front.port}`
  for (const own of [`https://${front.host}`, `http://${front.host}`]) {
    if (startsWithOrigin(url, own)) return browser + url.slice(own.length)
  }
  return url
}

/** On plain http: without Secure, which no browser would keep, and with SameSite=None as Lax, which needs Secure. */
export function cookieToBrowser(cookie: string, front: Front): string {
  if (front.scheme === 'https') return cookie
  return cookie
    .split(';')
    .filter((part) => part.trim().toLowerCase() !== 'secure')
    .map((part) => (part.trim().toLowerCase() === 'samesite=none' ? ' SameSite=Lax' : part))
    .join(';')
    .replace(/^__(Host|Secure)-/, 'devcloud-$1-')
}

/** The names that `cookieToBrowser` changed, changed back. */
export function cookiesToApplication(cookies: string, front: Front): string {
  return front.scheme === 'https' ? cookies : cookies.replaceAll(/(^|;\s*)devcloud-(Host|Secure)-/g, '$1__$2-')
}

function startsWithOrigin(url: string, origin: string): boolean {
  if (url.length < origin.length || url.slice(0, origin.length).toLowerCase() !== origin) return false
  const next = url.charCodeAt(origin.length)
  return Number.isNaN(next) || next === 0x2f || next === 0x3f || next === 0x23 // end, slash, question mark, hash
}
