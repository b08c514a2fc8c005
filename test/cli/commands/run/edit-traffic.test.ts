import { expect, test } from 'vitest'
import { editTraffic, withoutTraffic, withTag } from '../../../../src/cli/commands/run/edit-traffic.ts'
import { toLatestType, toRevisionType, type TrafficJson } from '../../../../src/cli/commands/run/run-json.ts'

/** `LATEST=60`, `a=40`, `a#blue` */
function traffic(...targets: readonly string[]): TrafficJson[] {
  return targets.map((text) => {
    const [, target = '', percent, tag] = /^([\w-]+)(?:=(\d+))?(?:#(\w+))?$/.exec(text) ?? []
    return {
      ...(target === 'LATEST' ? { type: toLatestType } : { type: toRevisionType, revision: target }),
      ...(percent !== undefined && { percent: Number(percent) }),
      ...(tag !== undefined && { tag }),
    }
  })
}

const edit = (now: readonly TrafficJson[], ...flags: readonly (readonly [flag: string, value: string])[]) =>
  editTraffic(
    { template: { containers: [] }, traffic: [...now] },
    flags.map(([flag, value]) => ({ flag, value })),
  )

test.each<readonly [now: readonly string[], flag: string, value: string, then: readonly string[]]>([
  [[], 'to-revisions', 'a=10', ['LATEST=90', 'a=10']],
  [['LATEST=100'], 'to-revisions', 'a=25,b=25', ['LATEST=50', 'a=25', 'b=25']],
  [['a=60', 'b=40'], 'to-revisions', 'a=100', ['a=100']],
  [['a=60', 'b=40'], 'to-latest', 'true', ['LATEST=100']],
  [['a=34', 'b=33', 'c=33'], 'to-revisions', 'd=50', ['a=17', 'b=17', 'c=16', 'd=50']],
  [['a=100', 'b#canary'], 'to-tags', 'canary=20', ['a=80', 'b=20', 'b#canary']],
  [['a=100'], 'to-revisions', 'LATEST=100', ['LATEST=100']],
  [['a=100'], 'update-tags', 'blue=a,green=b', ['a=100', 'a#blue', 'b#green']],
  [['a=100', 'a#blue'], 'update-tags', 'blue=b', ['a=100', 'b#blue']],
  [['a=100', 'a#blue', 'b#green'], 'set-tags', 'red=b', ['a=100', 'b#red']],
  [['a=100', 'a#blue', 'b#green'], 'remove-tags', 'blue', ['a=100', 'b#green']],
  [['a=100', 'a#blue', 'b#green'], 'clear-tags', 'true', ['a=100']],
  [['a=50#blue', 'b=50'], 'to-revisions', 'b=100', ['a#blue', 'b=100']],
])('%s, --%s=%s', (now, flag, value, then) => {
  expect(edit(traffic(...now), [flag, value])).toEqual(traffic(...then))
})

test('a tag can be moved and given traffic at once', () => {
  expect(edit(traffic('a=100'), ['update-tags', 'new=b'], ['to-tags', 'new=5'])).toEqual(traffic('a=95', 'b=5', 'b#new'))
})

test.each([
  [['to-revisions', 'a=60,b=60'], 'Over 100% of traffic is specified: 120.'],
  [['to-revisions', 'LATEST=60'], 'no other revision takes traffic'],
  [['to-revisions', 'a=x'], '"x" is not a whole number'],
  [['to-tags', 'nope=1'], 'Provided tag [nope] does not exist.'],
] as const)('%s is refused', ([flag, value], message) => {
  expect(() => edit(traffic('LATEST=100'), [flag, value])).toThrow(message)
})

test('without traffic, what LATEST has goes to the revision that it stands for', () => {
  const service = { template: { containers: [] }, latestReadyRevision: 'projects/p/locations/r/services/s/revisions/s-1' }
  expect(withoutTraffic(service)).toEqual(traffic('s-1=100'))
  expect(withoutTraffic({ ...service, traffic: traffic('LATEST=60', 's-0=40', 's-1#old') })).toEqual(traffic('s-1=60', 's-1#old', 's-0=40'))
  expect(() => withoutTraffic({ template: { containers: [] } })).toThrow('--no-traffic not supported when creating a new service')
})

test('a tag is at one revision', () => {
  expect(withTag(traffic('a=100', 'a#blue'), 'blue', 'b')).toEqual(traffic('a=100', 'b#blue'))
})
