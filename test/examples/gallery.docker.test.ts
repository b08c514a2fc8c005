import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { givenPage, pictureWidth, styleOf } from '../browser/given-page.ts'
import { png } from '../browser/pictures.ts'
import { givenCli } from '../cli/given-cli.ts'
import { copyExample } from './copy-example.ts'

test('gallery in a browser: an https-thinking Django signs the administrator in, takes a picture and shows it from the bucket', async () => {
  const directory = copyExample('gallery')
  await using cli = givenCli()
  const up = await cli.run(['up', '--engine', 'docker'], { directory })
  expect(up, up.stderr).toMatchObject({ code: 0 })
  expect(up.stdout).toMatch(/GET http:\/\/gallery\.localhost:\d+\/ 200 in \d+ ms/)
  const url = `http://gallery.localhost:${await cli.port()}`
  expect(readFileSync(join(directory, 'settings.env'), 'utf8')).toContain('CURRENT_HOST=https://gallery.localhost\n')

  await using browser = await givenPage()
  const { page, complaints } = browser
  await page.goto(`${url}/`)
  expect(await styleOf(page, 'body', 'max-width')).toBe('960px') // the stylesheet is in the bucket
  await page.getByRole('link', { name: 'Add one.' }).click()
  await page.waitForURL(`${url}/admin/login/?next=/admin/pictures/picture/add/`)
  await page.getByLabel('Username').fill('admin')
  await page.getByLabel('Password').fill('admin-on-this-machine')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL(`${url}/admin/pictures/picture/add/`)
  await page.getByLabel('Title').fill('A red field')
  await page.getByLabel('Image').setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: png(240, 120, [200, 30, 30]) })
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.waitForURL(`${url}/admin/pictures/picture/`)
  expect(await page.locator('.messagelist').textContent()).toContain('was added successfully')

  await page.goto(`${url}/`)
  expect(await page.locator('figcaption').textContent()).toBe('A red field')
  expect(await pictureWidth(page, 'figure img')).toBe(240)
  expect(page.url()).toBe(`${url}/`)
  expect(complaints).toEqual([])
  if (process.env['SCREENSHOT'] !== undefined) await page.screenshot({ path: process.env['SCREENSHOT'] })
}, 240_000)
