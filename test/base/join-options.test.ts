import { expect, test } from 'vitest'
import { joinOptions, withOptions } from '../../src/base/join-options.ts'

const ours = '-Dhttps.proxyHost=127.0.0.1 "-Djavax.net.ssl.trustStore=/my state/roots.jks" "-Xbootclasspath/a:/my state/java-roots"'

test("options of one's own stay, but for those that are set anew, and joining twice is joining once", () => {
  const own = `-Xmx1g -Dhttps.proxyHost=proxy.example -Dname='two words' -Xbootclasspath/a:/of/mine`
  const joined = joinOptions(own, ours)
  expect(joined).toBe(`-Xmx1g -Dname='two words' -Xbootclasspath/a:/of/mine ${ours}`)
  expect(joinOptions(joined, ours)).toBe(joined)
  expect(joinOptions(joined, ours.replaceAll('/my state', '/another'))).toBe(
    `-Xmx1g -Dname='two words' -Xbootclasspath/a:/of/mine ${ours.replaceAll('/my state', '/another')}`,
  )
  expect(joinOptions(undefined, ours)).toBe(ours)
})

test('a variable that is not given is inherited', () => {
  expect(withOptions({ A: '1' }, { O: '-b' }, { O: '-a', P: '-c' })).toEqual({ A: '1', O: '-a -b' })
  expect(withOptions({ O: '-own' }, { O: '-b' }, { O: '-a' })).toEqual({ O: '-own -b' })
  expect(withOptions({ A: '1' })).toEqual({ A: '1' })
})
