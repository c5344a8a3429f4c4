import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { ConfigError } from '../../src/config/error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'
import { DIFFERENTIAL, LeftOut, amtool, amtoolMode, amtoolVersion, oneOf } from '../helpers/amtool.ts'

// Whether a file is taken: `amtool check-config` must say of each what ours says.

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-configs-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Case {
  name: string
  yaml: string
}

const sample = new URL('../vectors/config-vectors.json', import.meta.url)
const { vectors } = z
  .object({ vectors: z.array(z.object({ name: z.string(), yaml: z.string(), ok: z.boolean() })) })
  .parse(JSON.parse(readFileSync(sample, 'utf8')))

const files = [
  `global:
  resolve_timeout: 5m
  smtp_smarthost: 'mail.example.com:587'
  smtp_from: alerts@example.com
  smtp_require_tls: false
  slack_api_url: https://hooks.slack.com/services/T0/B0/x
route:
  receiver: ops
  group_by: [alertname, team]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - matchers: ['severity=~"critical|page"', team=db]
      receiver: db
      continue: true
      mute_time_intervals: [nights]
    - match: {service: web}
      match_re: {instance: 'web-[0-9]+'}
      receiver: web
      routes:
        - receiver: ops
          group_by: ['...']
receivers:
  - name: ops
    email_configs:
      - to: ops@example.com
        send_resolved: true
        headers: {Subject: 'Alert'}
  - name: db
    pagerduty_configs:
      - routing_key: abc
        severity: critical
        details: {team: db}
  - name: web
    slack_configs:
      - channel: '#web'
        title: '{{ .Status }}'
        fields:
          - title: a
            value: b
            short: true
inhibit_rules:
  - source_matchers: [severity=critical]
    target_matchers: [severity=warning]
    equal: [alertname, team]
mute_time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: '22:00', end_time: '24:00'}]
        weekdays: ['monday:friday', sunday]
        days_of_month: ['1:7', '-1']
        months: ['january:march', '12']
        years: ['2024:2030']
`,
  `# hooks only
route:
  receiver: default
  group_by:
    - alertname
    - cluster
  routes:
    - receiver: hooks
      matchers:
        - team = backend
        - env != "dev"
      repeat_interval: 1d
    - receiver: 'default'
      match:
        severity: info
receivers:
  - name: default
  - name: hooks
    webhook_configs:
      - url: https://hooks.example.com/a
        max_alerts: 10
        http_config:
          basic_auth:
            username: me
            password: secret
          tls_config:
            insecure_skip_verify: true
      - url: 'http://127.0.0.1:9000/'
        send_resolved: no
inhibit_rules:
  - source_match:
      severity: critical
    target_match_re:
      severity: warning|info
    equal: ['alertname']
  - source_matchers: ['a=b', 'c=~"d|e"']
    target_matchers:
      - 'a!=b'
templates:
  - 'templates/*.tmpl'
`,
]

/** What is done to a file, line by line. */
type Mutate = (lines: string[], at: number, word: string) => void
const words = oneOf(
  ['', '~', 'null', '5m', '0s', '1x', '1m1h', '90', '-1', '1.5', 'true', 'yes', "'true'", '[]', '{}', '[a, b]'],
  ['{a: b}', '"a', "it's", 'x: y', '&a 1', 'ops', 'default', 'hooks', '"a=b"', "['a=b']", "['a=~(']"],
  ['[nights]', '#x', '@x', '%x', '"\\n"', '| text', 'http://a.b/c', 'ftp://a.b', '2024-01-01', '0x10'],
  ['!!str 5', '!!int a', '*none', '"\\q"'],
)
const mutations: Record<string, Mutate> = {
  'line dropped': (lines, at) => void lines.splice(at, 1),
  'line twice': (lines, at) => void lines.splice(at, 0, lines[at] ?? ''),
  'value replaced': (lines, at, word) =>
    (lines[at] = (lines[at] ?? '').replace(/(: |- )\S.*$/, (_all, sign: string) => sign + word)),
  'value emptied': (lines, at) => (lines[at] = (lines[at] ?? '').replace(/(: |- )\S.*$/, '$1')),
  'key misspelt': (lines, at) => (lines[at] = (lines[at] ?? '').replace(/(\w+):/, '$1x:')),
  'key of another line': (lines, at, word) => {
    const key = /(\w+):/.exec(lines[(at * 7 + word.length) % lines.length] ?? '')?.[1] ?? 'name'
    lines[at] = (lines[at] ?? '').replace(/(\w+):/, `${key}:`)
  },
  'line indented': (lines, at) => (lines[at] = `  ${lines[at]}`),
  'line outdented': (lines, at) => (lines[at] = (lines[at] ?? '').replace(/^ {2}/, '')),
  'lines swapped': (lines, at) => void lines.splice(at, 2, ...lines.slice(at, at + 2).reverse()),
  'comment added': (lines, at) => (lines[at] = `${lines[at]} # said`),
  'item no list': (lines, at) => (lines[at] = (lines[at] ?? '').replace('- ', '  ')),
  'tail lost': (lines, at) => void lines.splice(at),
}
const change = fc.record({
  how: fc.constantFrom(...Object.keys(mutations)),
  share: fc.double({ min: 0, max: 0.999, noNaN: true }),
  word: words,
})
const mutants = fc
  .sample(fc.record({ file: fc.nat(files.length - 1), changes: fc.array(change, { minLength: 1, maxLength: 2 }) }), {
    seed: 302,
    numRuns: 500,
  })
  .map(({ file, changes }, i): Case => {
    const lines = (files[file] ?? '').split('\n')
    for (const { how, share, word } of changes) mutations[how]?.(lines, Math.floor(share * (lines.length - 1)), word)
    return { name: `mutant ${i} of file ${file}: ${changes.map(({ how }) => how).join(', ')}`, yaml: lines.join('\n') }
  })

const cases: Case[] = [...vectors, ...mutants]

/** Samples of which an older binary has another opinion: the first that surely shares ours, and what it is about. */
const since: Record<string, [version: number, what: string]> = {
  'receiver null item': [33, 'a crash mended'],
  'inhibit dup names': [33, 'inhibition rules with names'],
  'http tls cert only': [33, 'a certificate without its key refused'],
  'webhook tmpl url': [33, 'templated webhook URLs'],
  'webhook func tmpl': [33, 'templated webhook URLs'],
  'webhook secret literal': [33, 'secret webhook URLs'],
  'webhook timeout 5s': [33, 'timeout of a webhook'],
  'webhook timeout 5': [33, 'timeout of a webhook'],
  'webhook timeout 1.5h': [33, 'timeout of a webhook'],
  'label any': [33, 'labels of receivers'],
  'tracing ok': [33, 'tracing'],
  event_recorder: [33, 'event recorder'],
  'route labels': [34, 'labels of routes'],
}

/** What check-config says of files, in their order; what it crashes on it does not take. */
async function verdicts(paths: readonly string[]): Promise<boolean[]> {
  const found: boolean[] = []
  while (found.length < paths.length) {
    const { stdout } = await amtool('check-config', ...paths.slice(found.length))
    const said = stdout.split("Checking '").slice(1)
    if (said.length === 0) throw new Error(`nothing is said of ${paths[found.length]}`)
    found.push(...said.map((text) => text.includes("'  SUCCESS\n")))
  }
  return found
}

test(
  `amtool 0.${amtoolVersion} takes and refuses ${cases.length} files as we do`,
  async () => {
    const leftOut = new LeftOut()
    const held = cases.filter((one) => {
      const [version, what] = since[one.name] ?? [0, '']
      if (version > amtoolVersion) leftOut.add(what, one.name)
      return version <= amtoolVersion
    })
    const paths = held.map(({ yaml }, i) => {
      const path = join(dir, `${i}.yml`)
      writeFileSync(path, yaml)
      return path
    })
    const theirs = await verdicts(paths)
    const disagreements = held.flatMap(({ name, yaml }, i) => {
      const mistake = mistakeIn(paths[i] ?? '')
      return (mistake === undefined) === theirs[i] ? [] : [`${name}: ${mistake ?? 'taken'}\n${yaml}`]
    })
    leftOut.print('configs')
    expect(disagreements).toEqual([])
    expect(held.length).toBeGreaterThanOrEqual(150)
    expect(leftOut.count).toBeLessThanOrEqual(amtoolVersion < 33 ? Object.keys(since).length : 1)
    const good = theirs.filter((ok) => ok).length
    expect(good).toBeGreaterThan(held.length / 4)
    expect(good).toBeLessThan((held.length * 3) / 4)
  },
  DIFFERENTIAL,
)

function mistakeIn(path: string): string | undefined {
  try {
    loadConfig(path, { env: {}, sandbox: false, channels, matcherMode: amtoolMode })
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}
