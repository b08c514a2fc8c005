import { escapeHtml } from '../../../base/escape-html.ts'

/** What a caller without the right to invoke sees: Google's words, and for the developer at this machine the way in. */
export function forbiddenPage(target: string, service: string): string {
  const words = `Your client does not have permission to get URL <code>${escapeHtml(target)}</code> from this server.`
  const way = `gcloud run services add-iam-policy-binding ${service} --member=allUsers --role=roles/run.invoker`
  const hint = `devcloud: service ${service} is private. Open it to all: <code>${way}</code>, or ask as yourself: <code>devcloud run services proxy ${service}</code>`
  return page('403 Forbidden', 'Error: Forbidden', `${words}<p>${hint}`)
}

export function unauthorizedPage(): string {
  const words = 'The request was not authorized to invoke this service. The access token could not be verified.'
  return page('401 Unauthorized', 'Error: Unauthorized', words)
}

/** A service whose ingress lets the request not in is as good as none. */
export function ingressPage(target: string): string {
  const words = `The requested URL <code>${escapeHtml(target)}</code> was not found on this server.`
  const hint =
    "devcloud: the service's ingress lets requests from outside not in. See <code>gcloud run services update --ingress=all</code>"
  return page('404 Page not found', 'Error: Page not found', `${words}<p>${hint}`)
}

function page(title: string, heading: string, words: string): string {
  return `<html><head>\n<meta http-equiv="content-type" content="text/html;charset=utf-8">\n<title>${title}</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>${heading}</h1>\n<h2>${words}</h2>\n<h2></h2>\n</body></html>\n`
}
