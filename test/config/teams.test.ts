import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError, formatProblem } from '../../src/config/error.ts'
import { type LoadOptions, loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'
import { matchRoutes } from '../../src/route/tree.ts'

// One team's mistake is that team's alone: each of these begins with a good table of three files.

const main = `include: [teams/*.yml]
global: { smtp_from: tocsin@example.com, smtp_smarthost: smtp.example.com:587 }
severities:
  critical: { notify: [slack] }
  info: { notify: [email], default: true }
`
const files: Record<string, string> = {
  'tocsin.yml': main,
  'teams/core.yml':
    'teams: { core: { default: true, slack: "https://slack.example.com/core", email: core@example.com } }\n',
  'teams/data.yml': 'teams: { data: { slack: "https://slack.example.com/data" } }\n',
  'teams/quant.yml': 'teams: { quant: { email: quant@example.com } }\n',
}

let dir: string
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-teams-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Writes some files and loads what is there; `lastGood` is what was in force before. */
function load(changed: Record<string, string>, rest: Pick<LoadOptions<unknown>, 'lastGood' | 'starting'> = {}) {
  mkdirSync(join(dir, 'teams'), { recursive: true })
  for (const [name, text] of Object.entries(changed)) writeFileSync(join(dir, name), text)
  return loadConfig(join(dir, 'tocsin.yml'), { env: {}, sandbox: false, channels, ...rest })
}
const receiverOf = ({ route }: ReturnType<typeof load>, team: string, severity: string) =>
  matchRoutes(
    route,
    new Map([
      ['team', team],
      ['severity', severity],
    ]),
  ).map(({ receiver }) => receiver)
const told = (problems: readonly Parameters<typeof formatProblem>[0][]) =>
  problems.map((problem) => formatProblem(problem).replace(`${dir}/`, ''))

test.each([
  [
    'a key that is none',
    'teams: { data: { slak: "https://slack.example.com/new" } }\n',
    /^teams\/data\.yml:1:18: .*"slack"/,
  ],
  ['YAML that does not parse', 'teams: { data: {\n', /^teams\/data\.yml:2:1: /],
  [
    'a URL that is none',
    'teams: { data: { slack: "slack.example.com" } }\n',
    /^teams\/data\.yml:1:18: teams\.data\.slack/,
  ],
  [
    'another team of its name',
    'teams: { core: { email: c@example.com } }\n',
    /^teams\/data\.yml:1:10: .*"core" stands in/,
  ],
  ['a severity that is none', 'teams: { data: { severities: { fatal: {} } } }\n', /^teams\/data\.yml:1:32: .*"fatal"/],
  ['a second default team', 'teams: { data: { default: true } }\n', /^teams\/data\.yml:1:18: .*"core" is the default/],
  [
    'a variable that is not set',
    'teams: { data: { slack: "${NOT_SET}" } }\n',
    /^teams\/data\.yml:1:25: .*NOT_SET is not set/,
  ],
  ['a matching receiver', 'receivers: [{ name: core/info }]\n', /^teams\/data\.yml:1:21: .*"core\/info"/],
])('%s: the team keeps what it had, the others get what is new', (_mistake, text, problem) => {
  const before = load(files)
  expect(before.faults).toEqual([])
  const after = load(
    { 'teams/data.yml': text, 'teams/quant.yml': 'teams: { quant: { slack: "https://slack.example.com/quant" } }\n' },
    { lastGood: before.included },
  )
  expect(told(after.faults)).toEqual([expect.stringMatching(problem)])
  expect(receiverOf(after, 'data', 'critical')).toEqual(['data/critical'])
  expect(after.included.get('teams/data.yml')).toBe(files['teams/data.yml'])
  expect(after.included.get('teams/quant.yml')).toContain('slack.example.com/quant')
  expect(after.hash).not.toBe(before.hash)
})

test('mended again, the new version holds and nothing is left to tell', () => {
  const before = load(files)
  const broken = load({ 'teams/data.yml': 'teams: [' }, { lastGood: before.included })
  const mended = load({ 'teams/data.yml': files['teams/data.yml'] ?? '' }, { lastGood: broken.included })
  expect(mended.faults).toEqual([])
  expect(mended.hash).toBe(before.hash)
})

test('a new team that is broken is not there; its alerts go to the default team', () => {
  const before = load(files)
  const after = load({ 'teams/new.yml': 'teams: { new: { slak: x } }\n' }, { lastGood: before.included })
  expect(told(after.faults)).toHaveLength(1)
  expect(receiverOf(after, 'new', 'critical')).toEqual(['core/critical'])
  expect(receiverOf(after, 'data', 'critical')).toEqual(['data/critical'])
})

test('a change of the main file that unchanged teams do not fit is the main file’s mistake: nothing of it is taken', () => {
  const before = load({ ...files, 'teams/data.yml': 'teams: { data: { severities: { info: { incident: true } } } }\n' })
  const change = () => load({ 'tocsin.yml': main.replace('info:', 'notice:') }, { lastGood: before.included })
  expect(change).toThrow(ConfigError)
  expect(change).toThrow(/there is no severity "info"/)
})

test('a mistake of the main file is told together with those of the teams', () => {
  const before = load(files)
  const change = () =>
    load(
      { 'tocsin.yml': `${main}receviers: []\n`, 'teams/data.yml': 'teams: { data: { slak: x } }\n' },
      { lastGood: before.included },
    )
  expect(change).toThrow(/receviers.*[^]*slak|slak.*[^]*receviers/)
})

const core = (rest: string) =>
  `teams: { core: { slack: "https://slack.example.com/core", email: core@example.com${rest} } }\n`
test.each([
  [
    'no team is the default any more',
    { 'teams/core.yml': core('') },
    /^teams\/core\.yml:1:1: with what is new in this file something else is wrong: .*one team must be the default/,
  ],
  [
    'the default team has another name',
    { 'teams/core.yml': core('').replace('core:', 'base:') },
    /one team must be the default/,
  ],
  ['the default team’s file is empty', { 'teams/core.yml': '# teams:\n' }, /^teams\/core\.yml:1:1: the file is empty/],
  [
    'what others took from the default team is gone',
    { 'teams/core.yml': 'teams: { core: { default: true, slack: "https://slack.example.com/core" } }\n' },
    /^teams\/core\.yml:1:10: teams\.core: severity "info" notifies email/,
  ],
  [
    'a receiver that a route of the main file uses is renamed',
    { 'teams/data.yml': 'receivers: [{ name: db2 }]\n' },
    /there is no receiver "db"/,
  ],
])('%s: the file that changed is held back, all others are in force', (_mistake, changed, problem) => {
  const before = load({
    ...files,
    'tocsin.yml': `${main}route: { routes: [{ matchers: [db=yes], receiver: db }] }\n`,
    'teams/data.yml': 'receivers: [{ name: db }]\n',
  })
  const quant = 'teams: { quant: { email: new@example.com } }\n'
  for (const how of [{}, { starting: true }]) {
    const after = load({ ...changed, 'teams/quant.yml': quant }, { ...how, lastGood: before.included })
    expect(told(after.faults).join('\n')).toMatch(problem)
    expect([...after.heldBack].map(([file, what]) => [file.replace(`${dir}/`, ''), what])).toEqual([
      [Object.keys(changed)[0], 'as it was before'],
    ])
    expect(receiverOf(after, 'nobody', 'info')).toEqual(['core/info'])
    expect(after.included.get('teams/quant.yml')).toBe(quant)
  }
})

test('at a start with nothing to stand in for the default team, no other becomes it', () => {
  rmSync(join(dir, 'teams'), { recursive: true, force: true })
  const start = () =>
    load(
      { 'tocsin.yml': main, 'teams/core.yml': 'teams: {', 'teams/quant.yml': files['teams/quant.yml'] ?? '' },
      { starting: true, lastGood: new Map() },
    )
  expect(start).toThrow(ConfigError)
})

test('a file is known by its place beside the routing file, however that is named; its name counts', () => {
  const before = load(files)
  expect([...before.included.keys()]).toEqual(['teams/core.yml', 'teams/data.yml', 'teams/quant.yml'])
  const cwd = process.cwd()
  process.chdir(dir)
  try {
    const relative = loadConfig('tocsin.yml', { env: {}, sandbox: false, channels })
    expect([...relative.included]).toEqual([...before.included])
    expect(relative.hash).toBe(before.hash)
  } finally {
    process.chdir(cwd)
  }
  renameSync(join(dir, 'teams/data.yml'), join(dir, 'teams/datax.yml'))
  expect(load({}).hash).not.toBe(before.hash)
})

test('without versions that were good, every mistake is an error', () => {
  expect(() => load({ ...files, 'teams/data.yml': 'teams: {' })).toThrow(ConfigError)
})

test('the default team’s file keeps its last version too', () => {
  const before = load(files)
  const after = load({ 'teams/core.yml': 'teams: {' }, { lastGood: before.included })
  expect(receiverOf(after, 'nobody', 'info')).toEqual(['core/info'])
})

test('at a start without a version that was good, the others are in force', () => {
  const config = load({ ...files, 'teams/data.yml': 'teams: {' }, { starting: true, lastGood: new Map() })
  expect(told(config.faults)).toEqual([expect.stringMatching(/^teams\/data\.yml:/)])
  expect(receiverOf(config, 'data', 'critical')).toEqual(['core/critical'])
  expect(receiverOf(config, 'quant', 'info')).toEqual(['quant/info'])
})

test('at a start with one, it stands in', () => {
  const before = load(files)
  const config = load({ 'teams/data.yml': 'teams: {' }, { starting: true, lastGood: before.included })
  expect(receiverOf(config, 'data', 'critical')).toEqual(['data/critical'])
})

test('a mistake in the default team’s destination is told once, where it stands, and holds back no other file', () => {
  const before = load(files).included
  const changed = {
    'teams/core.yml': 'teams: { core: { default: true, slack: "nowhere", email: core@example.com } }\n',
    'teams/quant.yml': 'teams: { quant: { email: other@example.com } }\n',
  }
  const config = load(changed, { lastGood: before })
  expect(told(config.faults)).toEqual([expect.stringMatching(/^teams\/core\.yml:1:\d+: teams\.core\.slack/)])
  expect([...config.heldBack.keys()].map((file) => file.replace(`${dir}/`, ''))).toEqual(['teams/core.yml'])
  expect(config.included.get('teams/quant.yml')).toContain('other@example.com')
})
