/** Resources, formats, and what gcloud 528 prints of them: gcloud-formats.test.ts asks the gcloud of this machine whether that still holds. */

export const formatResources: readonly Readonly<Record<string, unknown>>[] = [
  {
    name: 'b',
    active: true,
    n: 3,
    meta: { labels: { x: '1', 'run.googleapis.com/y': 'z' }, creationTime: '2026-11-24T10:00:00.123456Z' },
    list: ['p', 'q'],
    traffic: [
      { rev: 'a-1', percent: 50, latest: true },
      { rev: 'a-2', percent: 50 },
    ],
    url: 'https://a.b/c/d',
    none: null,
    empty: [],
  },
  { name: 'a', active: false, n: 10, meta: { labels: {} }, list: [], url: 'x,y "q"' },
]

export const formatCases: readonly (readonly [format: string, expected: string])[] = [
  ['value(name,active,n,meta.labels,list,none,empty)', 'b\tTrue\t3\trun.googleapis.com/y=z;x=1\tp;q\t\t\na\tFalse\t10\t\t\t\t\n'],
  ['value(traffic)', "{'rev': 'a-1', 'percent': 50, 'latest': True};{'rev': 'a-2', 'percent': 50}\n\n"],
  ['value(traffic[0].rev,traffic.rev,traffic[].rev.list(),list[1],list[-1])', 'a-1\ta-1;a-2\ta-1,a-2\tq\tq\n\t\t\t\t\n'],
  ['value(meta.labels."run.googleapis.com/y",url.basename(),meta.creationTime.date("%Y-%m-%d"))', 'z\td\t2026-11-24\n\tx,y "q"\t\n'],
  ['value[separator="|",delimiter=" "](name,list)', 'b|p q\na|\n'],
  ['value(meta.creation_time)', '2026-11-24T10:00:00.123456Z\n\n'],
  ['value(list.slice(0:1),list.sort(),url.segment(2),url.scope(b),list.len())', 'p\tp;q\ta.b\td\t2\n\t\t\tx,y "q"\t0\n'],
  ['value(traffic.map().extract("rev"),name.upper().lower(),url.sub("x","X"))', "['a-1'];['a-2']\tb\thttps://a.b/c/d\n\ta\tX,y \"q\"\n"],
  [
    'value(meta.labels.list(show="keys"),meta.labels.list(),format("{0}-{1}",name,n))',
    'run.googleapis.com/y,x\trun.googleapis.com/y=z,x=1\tb-3\n\t\ta-10\n',
  ],
  ['csv(name,meta.labels.x,url,list)', 'name,x,url,list\nb,1,https://a.b/c/d,p;q\na,,"x,y ""q""",\n'],
  ['csv[no-heading](name,n)', 'b,3\na,10\n'],
  ['csv(meta.creationTime,n:label=COUNT)', 'creation_time,count\n2026-11-24T10:00:00.123456Z,3\n,10\n'],
  [
    'table(name,active,n,meta.labels,meta.creationTime,list)',
    `NAME  ACTIVE  N   LABELS                                   CREATION_TIME                LIST
b     True    3   {'x': '1', 'run.googleapis.com/y': 'z'}  2026-11-24T10:00:00.123456Z  ['p', 'q']
a     False   10  {}                                                                    []
`,
  ],
  ['table(name:label=N:sort=1,active.yesno(yes="Y",no="n"),n:align=right)', 'N  ACTIVE   N\na  n       10\nb  Y        3\n'],
  [
    'table(name:sort=1:reverse,meta.creationTime.date("%Y-%m-%d %H:%M:%S %Z"):label=WHEN)',
    'NAME  WHEN\nb     2026-11-24 10:00:00 UTC\na\n',
  ],
  ['table[no-heading,pad=4](name,n)', 'b    3\na    10\n'],
  [
    'table(list.join("-"),url.split("/").list(),firstof(zz,n):label=F)',
    'LIST  URL              F\np-q   https:,,a.b,c,d  3\n      x,y "q"          10\n',
  ],
  ['table(name,meta.name,traffic.len():label="NO OF")', 'NAME  META_NAME  NO OF\nb                2\na                0\n'],
  [
    'text',
    `---
active:                           True
empty:                            []
list[0]:                          p
list[1]:                          q
meta.creationTime:                2026-11-24T10:00:00.123456Z
meta.labels.run.googleapis.com/y: z
meta.labels.x:                    1
n:                                3
name:                             b
traffic[0].latest:                True
traffic[0].percent:               50
traffic[0].rev:                   a-1
traffic[1].percent:               50
traffic[1].rev:                   a-2
url:                              https://a.b/c/d
---
active:      False
list:        []
meta.labels: {}
n:           10
name:        a
url:         x,y "q"
`,
  ],
  [
    'yaml(name,meta,list)',
    `---\nlist:\n- p\n- q\nmeta:\n  creationTime: '2026-11-24T10:00:00.123456Z'\n  labels:\n    run.googleapis.com/y: z\n    x: '1'\nname: b\n---\nlist: []\nmeta:\n  labels: {}\nname: a\n`,
  ],
  ['yaml(name,traffic[0].rev)', '---\nname: b\ntraffic:\n- rev: a-1\n---\nname: a\n'],
  ['json(name,active)', '[\n  {\n    "active": true,\n    "name": "b"\n  },\n  {\n    "active": false,\n    "name": "a"\n  }\n]\n'],
  ['get(n)', '3\n10\n'],
  ['none', ''],
]
