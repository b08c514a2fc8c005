import { expect, test } from 'vitest'
import { givenPage, pictureWidth } from '../browser/given-page.ts'
import { png } from '../browser/pictures.ts'
import { givenCli } from '../cli/given-cli.ts'
import { copyExample } from './copy-example.ts'

test('guestbook in a browser and in containers: a visitor signs with a picture and sees it', async () => {
  const directory = copyExample('guestbook')
  await using cli = givenCli()
  const up = await cli.run(['up', '--engine', 'docker'], { directory })
  expect(up, up.stderr).toMatchObject({ code: 0 })

  await using browser = await givenPage()
  const { page, complaints } = browser
  const url = `http://guestbook.localhost:${await cli.port()}/`
  await page.goto(url)
  await page.getByLabel('Name').fill('Ann <b>')
  await page.getByLabel('Message').fill('Greetings from a browser')
  await page.getByLabel('Picture').setInputFiles({ name: 'blue.png', mimeType: 'image/png', buffer: png(64, 32, [30, 60, 200]) })
  await page.getByRole('button', { name: 'Sign' }).click()
  await page.waitForURL(url)
  expect(await page.locator('article strong').textContent()).toBe('Ann <b>')
  expect(await pictureWidth(page, 'article img')).toBe(64)
  expect(complaints).toEqual([])
}, 240_000)
