import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'src', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => join(folder, name)),
  ),
]

test('every link of a page leads to a file of the repository', () => {
  const broken = pages.flatMap((page) =>
    Array.from(readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#\s:]+)(?:#[^)]*)?\)/g), ([, target = '']) => target)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  )
  expect(broken).toEqual([])
})

test('every source file that a page names exists: from its folder, from src, from the repository, or somewhere by its name', () => {
  const known = new Set(
    ['src', 'test', 'bench', 'scripts', 'compose'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => basename(name)),
    ),
  )
  const missing = pages
    .filter((page) => page !== 'CHANGELOG.md')
    .flatMap((page) =>
      Array.from(readFileSync(join(root, page), 'utf8').matchAll(/`([\w./-]+\.(?:ts|mjs))`/g), ([, path = '']) => path)
        .filter((path) => {
          if (!path.includes('/')) return !known.has(path)
          return ![dirname(page), 'src', 'test', ''].some((folder) => existsSync(join(root, folder, path)))
        })
        .map((path) => `${page}: ${path}`),
    )
  expect(missing).toEqual([])
})
