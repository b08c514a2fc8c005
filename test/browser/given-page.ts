import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'

export interface GivenPage extends AsyncDisposable {
  readonly page: Page
  /** What the browser told of: failed requests, and errors of scripts and of the console. */
  readonly complaints: readonly string[]
}

/** A page of the system's own Chromium, which resolves `.localhost` by itself as a user's browser does. */
export async function givenPage(): Promise<GivenPage> {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  if (!existsSync(executablePath)) throw new Error(`There is no Chromium at ${executablePath}: install it, or name its path in CHROMIUM.`)
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-proxy-server']
  const browser = await chromium.launch({ executablePath, args })
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText ?? 'failed'}`))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico')) complaints.push(message.text())
  })
  return { page, complaints, [Symbol.asyncDispose]: () => browser.close() }
}

/** The width in pixels of a picture that the browser has decoded; 0 while it has not. */
export async function pictureWidth(page: Page, selector: string): Promise<number> {
  const picture = page.locator(selector).first()
  await picture.waitFor()
  return picture.evaluate(async (element: { readonly naturalWidth: number; decode(): Promise<void> }) => {
    await element.decode().catch(() => {})
    return element.naturalWidth
  })
}

/** A CSS property as the browser has computed it. */
export function styleOf(page: Page, selector: string, property: string): Promise<string> {
  return page.evaluate(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).getPropertyValue(${JSON.stringify(property)})`,
  )
}
