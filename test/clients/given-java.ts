import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeOnce } from './make-once.ts'

const project = fileURLToPath(new URL('programs/java', import.meta.url))
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'

/**
 * The class path of programs/java: Google's clients by Maven (half a minute, ten seconds where its cache has them) and our cases by javac, made once on
 * this machine while tests are collected. @returns undefined where that does not work
 */
export function javaClassPath(): string | undefined {
  const sources = readdirSync(join(project, 'src')).map((file) => join(project, 'src', file))
  const libraries = makeOnce('java-lib', [join(project, 'pom.xml')], (directory) => [
    ['mvn', '-q', '-B', '-f', join(project, 'pom.xml'), copyDependencies, '-DincludeScope=runtime', `-DoutputDirectory=${directory}`],
  ])
  if (libraries === undefined) return undefined
  const classes = makeOnce('java-classes', [join(project, 'pom.xml'), ...sources], (directory) => [
    ['javac', '-encoding', 'UTF-8', '-cp', join(libraries, '*'), '-d', directory, ...sources],
  ])
  return classes === undefined ? undefined : `${join(libraries, '*')}:${classes}`
}
