import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { builtCli } from '../helpers/built.ts'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { freePort } from '../helpers/port.ts'
import { type Child, startAlertmanagerWith } from '../helpers/prometheus.ts'
import { openWorld } from '../helpers/world.ts'

// A real amtool asks a Tocsin and an Alertmanager with the same config and content: both must say the same.

/** Nothing is told within the hour: what is asked for is what the two know. */
const config = `
global:
  resolve_timeout: 10m
  smtp_smarthost: localhost:25
  smtp_from: am@example.com
  smtp_auth_username: am
  smtp_auth_password: hunter2
  slack_api_url: http://127.0.0.1:9/slack
route:
  receiver: default
  group_by: [alertname, cluster]
  group_wait: 1h
  routes:
    - receiver: db-pager
      matchers: ['team="db"', 'severity=~"critical|page"']
      group_by: ['...']
      continue: true
    - receiver: db
      match: { team: db }
      match_re: { severity: "warn.*|crit.*" }
      group_by: [team]
      routes:
        - receiver: db-night
          matchers: [window = night]
          mute_time_intervals: [always]
    - receiver: web
      matchers: ['{team=web,alertname!~"Test.*"}']
      active_time_intervals: [always]
      repeat_interval: 90d
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [alertname, cluster]
  - source_match: { severity: page }
    target_match_re: { severity: "info|debug" }
    equal: [instance]
time_intervals:
  - name: always
    time_intervals: [{ years: ['2020:2100'], weekdays: ['sunday:saturday'], location: Australia/Sydney }]
receivers:
  - name: default
  - name: db-pager
    pagerduty_configs: [{ routing_key: s3cret, details: { runbook: 'https://example.com/{{ .GroupLabels.alertname }}' } }]
  - name: db
    slack_configs: [{ channel: '#db', actions: [{ type: button, text: Runbook, url: 'https://example.com' }] }]
  - name: db-night
    email_configs: [{ to: night@example.com, headers: { X-Team: db } }]
  - name: web
    webhook_configs: [{ url: 'http://127.0.0.1:9/hook', max_alerts: 5 }]
  - name: every kind
    discord_configs: [{ webhook_url: 'http://127.0.0.1:9/discord' }]
    opsgenie_configs: [{ api_key: s3cret, responders: [{ name: db, type: team }] }]
    pushover_configs: [{ user_key: s3cret, token: s3cret }]
    sns_configs: [{ topic_arn: 'arn:aws:sns:us-east-2:1:topic', sigv4: { region: us-east-2, access_key: a, secret_key: s3cret } }]
    telegram_configs: [{ bot_token: s3cret, chat_id: 1 }]
    victorops_configs: [{ api_key: s3cret, routing_key: r, custom_fields: { a: b } }]
    webex_configs: [{ room_id: r, http_config: { authorization: { credentials: s3cret } } }]
    webhook_configs:
      - url: http://127.0.0.1:9/hook
        http_config: { basic_auth: { username: u, password: s3cret }, proxy_url: 'http://u:s3cret@127.0.0.1:9', tls_config: { server_name: a } }
      - url: http://127.0.0.1:9/hook
        http_config: { oauth2: { client_id: c, client_secret: s3cret, token_url: 'http://127.0.0.1:9', scopes: [a] }, follow_redirects: false }
    wechat_configs: [{ corp_id: c, api_secret: s3cret }]
`

const MINUTE = 60_000
const begun = Math.floor(Date.now() / 1000) * 1000
/** So many minutes from the start. Those given here end in 5, so that none passes for a multiple of ten from now. */
const at = (minutes: number) => new Date(begun + minutes * MINUTE).toISOString()

const alerts = [
  {
    labels: { alertname: 'DiskFull', team: 'db', severity: 'critical', cluster: 'eu-1', instance: 'db-1' },
    annotations: { summary: 'Disk <full> & hot', runbook: 'https://example.com' },
    generatorURL: 'http://prometheus.example.com/graph?g0.expr=up&g0.tab=1',
  },
  {
    labels: { alertname: 'DiskFull', team: 'db', severity: 'warning', cluster: 'eu-1', instance: 'db-2' },
    annotations: { summary: 'Disk filling' },
  },
  { labels: { alertname: 'Backup', team: 'db', severity: 'warning', window: 'night' } },
  { labels: { alertname: 'SlowPage', team: 'web' }, annotations: { summary: 'p99 above 2 s' } },
  { labels: { alertname: 'Odd', text: 'comma, "quote" \\ é\nnext' } },
  { labels: { job: 'nameless' } },
].map((alert, seconds) => ({ ...alert, startsAt: at(-5 + seconds / 60), endsAt: at(95) }))

const equal = (name: string, value: string) => ({ name, value, isRegex: false, isEqual: true })
const silences = [
  { comment: 'deploying', matchers: [equal('alertname', 'SlowPage'), { ...equal('team', 'w.*'), isRegex: true }] },
  {
    comment: 'tomorrow',
    matchers: [{ ...equal('team', 'db'), isEqual: false }],
    createdBy: 'bob',
    from: 1205,
    to: 2645,
  },
  { comment: 'past, "quoted"', matchers: [equal('a', 'b c')], from: -55, to: 305 },
].map(({ from = 0, to = 125, ...silence }) => ({ createdBy: 'alice', ...silence, startsAt: at(from), endsAt: at(to) }))

/** One of the two. Its silences' ids are known by the silences' comments. */
interface Side {
  url: string
  ids: Map<string, string>
}

interface Said {
  code: number
  stdout: string
  stderr: string
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const instant = /\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+Z| UTC)/g
const otherVersion = /^Warning: amtool version \(\S+\) and alertmanager version \(\S+\) are different\.\n/gm

/** What differs by nature under one name, as long as it was: ids, and instants that are now or tens of minutes from now. */
function canonical(text: string, { ids }: Side): string {
  const names = new Map([...ids].map(([name, id]) => [id, name]))
  const elapsed = Date.now() - begun
  return text
    .replace(otherVersion, '')
    .replace(uuid, (id) => `<${names.get(id) ?? 'id'}>`.padEnd(id.length))
    .replace(instant, (given) => {
      const since = Date.parse(given.replace(' UTC', 'Z').replace(' ', 'T')) - begun
      const tens = Math.floor(since / (10 * MINUTE))
      return since - tens * 10 * MINUTE <= elapsed ? `<now+${tens}0m>`.padEnd(given.length) : given
    })
}

const dir = tempDir()
const binary = process.env['AMTOOL'] ?? 'amtool'

/** A run of it; `<deploying>` among the arguments stands for that silence's id, `<last>` for the one printed last. */
function amtool(side: Side, args: readonly string[], clean = canonical): Promise<Said> {
  const given = args.map((arg) => side.ids.get(arg.slice(1, -1)) ?? arg)
  const env = { PATH: process.env['PATH'], HOME: dir.path }
  return new Promise((done) => {
    execFile(binary, [`--alertmanager.url=${side.url}`, ...given], { env }, (error, stdout, stderr) => {
      const last = stdout.match(uuid)?.at(-1)
      if (last && ![...side.ids.values()].includes(last)) side.ids.set('last', last)
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
      done({ code, stdout: clean(stdout, side), stderr: clean(stderr, side) })
    })
  })
}

let engine: Engine | undefined
let alertmanager: Child | undefined
let tocsin: Side
let reference: Side
const both = (args: readonly string[]) => Promise.all([amtool(tocsin, args), amtool(reference, args)])

/** Asks both, who must say the same; returns it. */
async function agreed(args: readonly string[]): Promise<Said> {
  const [ours, theirs] = await both(args)
  expect(ours).toEqual(theirs)
  return ours
}

interface Status {
  cluster: { name: string; status: string; peers: { address: string; name: string }[] }
  config: { original: string }
}

async function send(url: string, path: string, body: unknown): Promise<string> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${url}${path}: ${answer.status} ${await answer.text()}`)
  return answer.text()
}

const statusOf = async (side: Side): Promise<Status> =>
  (await (await fetch(`${side.url}/api/v2/status`)).json()) as Status

async function fill(url: string): Promise<Side> {
  const side: Side = { url, ids: new Map() }
  await send(url, '/api/v2/alerts', alerts)
  for (const silence of silences) {
    const { silenceID } = JSON.parse(await send(url, '/api/v2/silences', silence))
    side.ids.set(silence.comment.split(',')[0] ?? '', silenceID)
  }
  await fetch(`${url}/api/v2/silence/${side.ids.get('past')}`, { method: 'DELETE' })
  await eventually(
    () => statusOf(side),
    ({ cluster }) => cluster.status === 'ready',
  )
  return side
}

beforeAll(async () => {
  const cluster = [`--cluster.listen-address=127.0.0.1:${await freePort()}`, '--cluster.gossip-interval=20ms']
  alertmanager = await startAlertmanagerWith(config, dir.path, cluster)
  engine = await startEngine({ config })
  reference = await fill(alertmanager.url)
  tocsin = await fill(engine.url)
})
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]()
  await alertmanager?.[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})

const words = (args: string) => args.split(' ')
const UNKNOWN = '00000000-0000-0000-0000-000000000000'

describe('what is asked for', () => {
  test.each([
    ['alert', 'DiskFull'],
    ['alert query -a', 'DiskFull'],
    ['alert query -s', 'SlowPage'],
    ['alert query -i', 'Disk filling'],
    ['alert query -u', 'Alertname'],
    ['alert query -a -s -i -u', 'SlowPage'],
    ['-o extended alert query -a -s -i', 'g0.expr=up&g0.tab=1'],
    ['-o json alert query -a -s -i', '"inhibitedBy":["'],
    ['-o json alert query -s', '"silencedBy":["<deploying>'],
    ['-o json alert query nobody=here', '[]'],
    ['alert query DiskFull', 'Disk <full>'],
    ['alert query alertname=~Disk.*|Odd severity!=warning', 'Odd'],
    ['alert query -i -a cluster!~eu-[2-9] cluster=~.+', 'Disk filling'],
    ['alert query job=nameless', 'active'],
    ['-o extended alert query text=~(?s)comma.*', '"quote"'],
    ['alert query -a -i --receiver=db.*', 'Backup'],
    ['alert query -a -s --receiver=db|web', 'SlowPage'],
    ['alert query -a --receiver=d', 'Alertname'],

    ['silence', '<deploying>'],
    ['silence query -q', '<tomorrow>'],
    ['-o extended silence query', '{team!="db"}'],
    ['-o json silence query', '"isEqual":false'],
    ['-o json silence query --expired', 'past, \\"quoted\\"'],
    ['silence query --expired', 'past, "quoted"'],
    ['silence query --expired --within=1h', 'past'],
    ['silence query --within=3h', '<deploying>'],
    ['silence query -q --within=2h', ''],
    ['silence query --created-by=bob', 'tomorrow'],
    ['silence query alertname=SlowPage', 'deploying'],
    ['silence query SlowPage team=~w.*', 'deploying'],
    ['silence query -q alertname=~SlowPage', ''],
    ['silence query team!=db', 'tomorrow'],

    ['config routes', 'db-pager'],
    ['config routes show', 'continue: true  receiver: db-pager'],
    ['config routes test', 'default'],
    ['config routes test team=db severity=critical', 'db-pager,db'],
    ['config routes test team=db severity=critical window=night', 'db-pager,db-night'],
    ['config routes test --tree team=db severity=critical window=night', '└── {window="night"}'],
    ['config routes test team=web alertname=Test1', 'default'],
    ['config routes test --verify.receivers=web team=web alertname=SlowPage', 'web'],
    ['config routes test --verify.receivers=db-pager,db team=db severity=critical', 'db-pager,db'],
  ])('%s', async (args, part) => {
    const { code, stdout, stderr } = await agreed(words(args))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(part)
  })
})

describe('what is refused', () => {
  test.each([
    ['alert query team=db severity', 'bad matcher format: severity'],
    ['alert query --receiver=(', 'failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`'],
    ['alert add', 'at least one label pair required'],
    ['alert add a=b b', 'bad matcher format: b'],
    ['alert add a=b --start=2021-01-01T00:00:00Z --end=2020-01-01T00:00:00Z', 'start time must be before end time'],
    ['silence query a=b b', '400'],
    ['silence query --within=soon', 'invalid duration'],
    ['silence add', 'no matchers specified'],
    ['silence add a=b', 'comment required'],
    ['silence add -c x --end=2020-01-01T00:00:00Z a=b', 'cannot start after it ends'],
    ['silence add -c x --start=2020-01-01T00:00:00Z --end=2020-01-02T00:00:00Z a=b', "end time can't be in the past"],
    ['silence expire', 'no silence IDs'],
    ['silence expire nope', 'status 422'],
    ['silence update', 'no silence IDs'],
    ['silence update nope -d 1h', 'status 422'],
    [`silence update ${UNKNOWN} -d 1h`, '[GET /silence/{silenceID}][404] getSilenceNotFound'],
    ['config routes test team', 'bad matcher format: team'],
  ])('%s', async (args, part) => {
    const { code, stdout, stderr } = await agreed(words(args))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(part)
  })

  test('receivers that are not the expected ones', async () => {
    const { code, stdout } = await agreed(words('config routes test --verify.receivers=web team=db severity=warning'))
    expect(code).toBe(1)
    expect(stdout).toBe('db\nWARNING: Expected receivers did not match resolved receivers.\n')
  })

  // Here Tocsin has the words of a newer Alertmanager than Debian's.
  test.each([
    [`silence expire ${UNKNOWN}`, '404', 'silence not found'],
    [
      'silence add -c x a=""',
      'invalid silence: matcher set 0: at least one matcher',
      'silence invalid: at least one matcher',
    ],
  ])('%s', async (args, our, their) => {
    const [ours, theirs] = await both(words(args))
    expect([ours.code, ours.stdout]).toEqual([1, ''])
    expect([theirs.code, theirs.stdout]).toEqual([1, ''])
    expect(ours.stderr).toContain(our)
    if (!theirs.stderr.includes(our)) expect(theirs.stderr).toContain(their)
  })
})

/** Runs these one after the other on both; returns what the last one printed. */
async function story(...steps: readonly (string | readonly string[])[]): Promise<string> {
  let printed = ''
  for (const step of steps) {
    const { code, stdout, stderr } = await agreed(typeof step === 'string' ? words(step) : step)
    expect({ step, code, stderr }).toEqual({ step, code: 0, stderr: '' })
    printed = stdout
  }
  return printed
}

describe('what is changed', () => {
  test('alerts added, again, and resolved', async () => {
    const [start, end] = [at(-1.5), at(35)]
    const added = await story(
      [
        ...words('alert add alertname=Added team=web node=bar'),
        '--annotation=summary=see <b> & c',
        `--start=${start}`,
        `--end=${end}`,
        '--generator-url=http://example.com/?a=b&c=d',
      ],
      'alert add Bare node=foo',
      'alert add --annotation=empty= Bare node=foo',
      '-o extended alert query alertname=Added',
      '-o json alert query alertname=~Added|Bare',
    )
    expect(JSON.parse(added)).toMatchObject([{ annotations: {} }, { endsAt: end }])
    const left = await story(
      `alert add alertname=Added team=web node=bar --start=${start} --end=${at(-0.5)}`,
      'alert query -a -s -i alertname=~Added|Bare',
    )
    expect(left).not.toContain('Added')
  })

  test('a silence from its addition to its expiry', async () => {
    const last = await story(
      [
        'silence',
        'add',
        '-c',
        'all of it',
        '-a',
        'carol',
        `--start=${at(1805)}`,
        `--end=${at(2405)}`,
        'a=x',
        'b!="y z"',
      ],
      '-o extended silence query a=x',
      'silence update -c shorter <last>', // keeps its id
      `silence update --end=${at(2105)} <last>`,
      '-o extended silence query a=x',
      `-o json silence update --start=${at(1865)} <last>`,
      '-o json silence query a=x',
    )
    expect(JSON.parse(last)).toMatchObject([{ comment: 'shorter', createdBy: 'carol', status: { state: 'pending' } }])
    const expired = await story(
      'silence expire <last>',
      'silence expire <last>', // once more: nothing to do, and well
      'silence query a=x',
      '-o json silence query --expired a=x',
    )
    expect(JSON.parse(expired)).toMatchObject([{ status: { state: 'expired' } }])
  })

  test('a silence that begins now takes effect at once, and ends at once', async () => {
    const name = 'alertname=Odd'
    await story(`silence add -c now -d 2h ${name}`, `-o extended silence query ${name}`)
    expect(await story(`alert query -s ${name}`)).toContain('suppressed')
    const expired = await story('silence update -d 3h <last>', 'silence expire <last>', `alert query -s -a ${name}`)
    expect(expired).toContain('active')
  })

  test('several silences expire at once', async () => {
    await story('silence add -c one -a dave -d 2h c=1', 'silence add -c two -a dave -d 4h c=2')
    for (const side of [tocsin, reference]) {
      const { stdout } = await amtool(side, words('silence query -q --created-by=dave'), (text) => text)
      const ids = stdout.trim().split('\n')
      expect(ids).toHaveLength(2)
      expect(await amtool(side, ['silence', 'expire', ...ids])).toEqual({ code: 0, stdout: '', stderr: '' })
    }
    expect(await story('silence query -q --created-by=dave')).toBe('')
    expect(await story('silence query --expired --created-by=dave c=2')).toContain('two')
  })
})

describe("the other's silences", () => {
  interface Silence {
    id: string
    status: object
    updatedAt: string
  }
  const listOf = async (side: Side): Promise<Silence[]> =>
    JSON.parse((await amtool(side, words('-o json silence query --within=1000h'))).stdout)
  const exported = async (side: Side, name: string) => {
    const file = join(dir.path, `${name}.json`)
    const answer = await fetch(`${side.url}/api/v2/silences`)
    const live = ((await answer.json()) as (Silence & { status: { state: string } })[]).filter(
      ({ status }) => status.state !== 'expired',
    )
    writeFileSync(file, JSON.stringify(live))
    return { file, count: live.length }
  }
  const withoutIds = (list: Silence[]) => list.map((silence) => JSON.stringify({ ...silence, id: '' })).sort()

  test('are imported, each of them as a new one', async () => {
    const [ours, theirs] = [await exported(tocsin, 'ours'), await exported(reference, 'theirs')]
    const [toUs, toThem] = await Promise.all([
      amtool(tocsin, ['silence', 'import', theirs.file]),
      amtool(reference, ['silence', 'import', ours.file]),
    ])
    expect(toUs).toEqual(toThem)
    expect(toUs.code).toBe(0)
    expect(toUs.stdout.trim().split('\n')).toHaveLength(theirs.count)
    const [here, there] = await Promise.all([listOf(tocsin), listOf(reference)])
    expect(withoutIds(here)).toEqual(withoutIds(there))
    expect(here).toHaveLength(ours.count + theirs.count)
  })

  test('one of its own keeps its id, unless a new one is forced', async () => {
    const { file, count } = await exported(tocsin, 'own')
    const own = new Set((await listOf(tocsin)).map(({ id }) => id))
    const imported = await amtool(tocsin, ['silence', 'import', file])
    expect(imported.code).toBe(0)
    expect(new Set((await listOf(tocsin)).map(({ id }) => id))).toEqual(own)
    await amtool(tocsin, ['silence', 'import', '--force', file])
    expect(await listOf(tocsin)).toHaveLength(2 * count)
  })

  test('a file that is not there', async () => {
    expect(await agreed(words('silence import nope.json'))).toMatchObject({ code: 1 })
  })
})

describe('cluster show', () => {
  test.each([
    ['cluster show', 'Cluster Status:  ready\nNode Name:       <node>\n'],
    [
      '-o extended cluster show',
      'Cluster Status:  ready\nNode Name:       <node>\n\nAddress  Name\n<address>  <node>\n',
    ],
    ['-o json cluster show', '{"name":"<node>","peers":[{"address":"<address>","name":"<node>"}],"status":"ready"}\n'],
  ])('%s', async (args, shown) => {
    for (const side of [tocsin, reference]) {
      const { cluster } = await statusOf(side)
      const { code, stdout, stderr } = await amtool(side, words(args), (text) =>
        text.replaceAll(cluster.name, '<node>').replaceAll(cluster.peers[0]?.address ?? '?', '<address>'),
      )
      expect({ code, stderr: stderr.replace(otherVersion, '') }).toEqual({ code: 0, stderr: '' })
      expect(stdout.replace(/ +$/gm, '').replace(/ +Name$/m, '  Name')).toBe(shown)
    }
  })
})

describe('config show', () => {
  /** What is not as the older Alertmanager shows it, by the end of its path. */
  const differs: Record<string, string> = {
    'webhook_configs.N.url': 'newer ones know that there is a secret in it, and hide it',
    'details.firing': 'newer ones send the alerts as JSON, not as text',
    'details.resolved': 'the same',
    'slack_configs.N.color': 'a template of its own by now',
    'email_configs.N.tls_config.insecure_skip_verify': 'newer ones fill it in',
    'oauth2.client_secret_file': 'newer ones leave it out where it is empty',
    'pushover_configs.N.html': 'the same',
    'pagerduty_configs.N.source': 'what it would be anyway is not filled in',
    'headers.From': 'the same',
    'headers.Subject': 'the same',
    'headers.To': 'the same',
    'authorization.type': 'the same',
    // Only a newer Alertmanager beside shows these:
    'labels.name': 'older ones do not know it, so it is not filled in',
    'pagerduty_configs.N.timeout': 'the same',
    'slack_configs.N.timeout': 'the same',
    'slack_configs.N.update_message': 'the same',
    'slack_configs.N.app_url': 'the same',
    'webhook_configs.N.timeout': 'the same',
    'webhook_configs.N.url_file': 'the same',
    'global.slack_app_url': 'the same',
    'global.rocketchat_api_url': 'the same',
    'global.smtp_tls_config.insecure_skip_verify': 'the same',
  }

  test('prints the same config, but for what differs on purpose', async () => {
    const [ours, theirs] = await Promise.all(
      [tocsin, reference].map(async (side) => {
        const { code, stdout } = await amtool(side, words('config show'))
        expect(code).toBe(0)
        return flat(parse(stdout))
      }),
    )
    const paths = [...new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])])]
    const found = paths
      .filter((path) => ours?.get(path) !== theirs?.get(path))
      .filter((path) => !Object.keys(differs).some((known) => `.${path.replace(/\.\d+/g, '.N')}`.endsWith(`.${known}`)))
    expect(found.map((path) => `${path}: ${ours?.get(path)}, not ${theirs?.get(path)}`)).toEqual([])
    expect(paths.length).toBeGreaterThan(100)
  })

  test('no secret shows', async () => {
    const { stdout } = await amtool(tocsin, words('config show'))
    expect(stdout).toContain('<secret>')
    for (const secret of ['hunter2', 's3cret', '9/slack', '9/hook']) expect(stdout).not.toContain(secret)
  })

  test.each(['extended', 'json'])('%s', async (form) => {
    for (const { code, stdout, stderr } of await both(['-o', form, 'config', 'show'])) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/"?uptime"?[ :]/)
    }
  })

  test('what it prints is a config to amtool, with as much in it', async () => {
    const [shown, given] = await Promise.all(
      [(await statusOf(tocsin)).config.original, config].map(async (text, i) => {
        const file = join(dir.path, `${i}.yml`)
        writeFileSync(file, text)
        const { code, stdout } = await amtool(tocsin, ['check-config', file])
        return { code, found: stdout.split('\n').slice(1) }
      }),
    )
    expect(shown).toEqual(given)
    expect(shown?.code).toBe(0)
  })
})

/** Each scalar of a config by its path. */
function flat(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value)]])
  const parts = Object.entries(value).flatMap(([key, part]) => [...flat(part, path ? `${path}.${key}` : key)])
  return new Map(parts.length > 0 ? parts : [[path, JSON.stringify(value)]])
}

test("the tree that it draws of Tocsin's own tables is the one that Tocsin draws", async () => {
  await using world = await openWorld()
  const file = join(import.meta.dirname, '../../routing/tocsin.yml')
  await using own = await startEngine({ config: file, env: world.env })
  const shown = await amtool({ url: own.url, ids: new Map() }, words('config routes show'))
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  const args = [builtCli(), 'config', 'routes', 'show', `--config.file=${file}`]
  const env = { PATH: process.env['PATH'], ...world.env }
  expect(shown.stdout.replaceAll('\u00a0', ' ')).toBe(
    spawnSync(process.execPath, args, { encoding: 'utf8', env }).stdout,
  )
})

test('behind a prefix', async () => {
  await using prefixed = await startEngine({ config, args: ['--web.external-url=http://alerts.example.com/am'] })
  const side: Side = { url: `${new URL(prefixed.url).origin}/am`, ids: new Map() }
  expect(await amtool(side, words('alert add Prefixed'))).toMatchObject({ code: 0, stderr: '' })
  expect(await amtool(side, words('alert query'))).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Prefixed'),
  })
})
