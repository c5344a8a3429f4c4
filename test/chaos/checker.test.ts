import { describe, expect, test } from 'vitest'
import { type Ended, type Evidence, type Expected, check } from './checker.ts'
import { openFindings } from './findings.ts'
import type { Kind, Sent } from './ledger.ts'
import type { Telling } from './telling.ts'

const expected: Expected = {
  reach: ({ severity }) => (severity === 'critical' ? ['webhook', 'slack', 'pagerduty'] : ['webhook']),
  firingOnly: new Set<Kind>(),
  tokens: new Map([
    ['red', 'canary-red'],
    ['blue', 'canary-blue'],
  ]),
  credentials: new Map([['pagerduty', new Map([['red', 'red-key']])]]),
  secrets: ['s3cret'],
  mostRepeats: 1,
  grace: 1000,
  loss: { before: 0, most: 0 },
  lateCopies: false,
  oneId: true,
}

/** What was posted about red's alert of group G at an instant. */
const posted = (
  state: 'firing' | 'resolved',
  at: number,
  { n = 0, result = 'acked', severity = 'warning' }: { n?: number; result?: Sent['result']; severity?: string } = {},
): Sent => ({
  at,
  doneAt: at,
  result,
  status: result === 'acked' ? 200 : 503,
  alerts: [{ id: `G.${n}`, group: 'G', team: 'red', severity, state }],
})

let read = 0
/** What red's channel heard of group G at an instant: `0 1r` is that G.0 fires and G.1 is resolved. */
const heard = (said: string, at: number, more: Partial<Telling> = {}): Telling => {
  const alerts = said.split(' ').map((one) => ({
    id: `G.${one.replace('r', '')}`,
    state: one.endsWith('r') ? ('resolved' as const) : ('firing' as const),
    team: 'red',
    token: 'canary-red',
  }))
  read += 1
  const attempt = more.attempt ?? 1
  return {
    n: read,
    at,
    kind: 'webhook',
    team: 'red',
    credential: '',
    notification: `n${read}`,
    attempt,
    isLabelled: attempt > 1,
    isOver: alerts.every(({ state }) => state === 'resolved'),
    group: 'G',
    alerts,
    answered: 'ok',
    ...more,
  }
}

const ending = (attempt: number, how: string, more: Partial<Ended> = {}): Ended => ({
  row: 'r',
  notification: 'n',
  integration: 'red-warning/webhook/0',
  channel: 'webhook',
  attempt,
  how,
  isDelivered: false,
  ...more,
})

const slack = { kind: 'slack', notification: '', attempt: 0 } as const
const paged = { kind: 'pagerduty', notification: 'key', attempt: 0, isLabelled: true, credential: 'red-key' } as const
const critical = { severity: 'critical' }

function verdict(evidence: Partial<Evidence>, more: Partial<Expected> = {}): { facts: number; violations: string[] } {
  const findings = openFindings()
  check(
    { sent: [], told: [], letters: [], ended: [], owed: 0, faults: [], captured: [], ...evidence },
    { ...expected, ...more },
    findings,
  )
  return { facts: findings.facts, violations: findings.violations.map(({ promise, what }) => `${promise}: ${what}`) }
}

describe('ledgers that keep the promises', () => {
  test.each<[string, Partial<Evidence>]>([
    [
      'told, and told that it is over',
      { sent: [posted('firing', 0), posted('resolved', 5)], told: [heard('0', 1), heard('0r', 6)] },
    ],
    ['refused, and not told', { sent: [posted('firing', 0, { result: 'refused' })] }],
    ['unknown, and told', { sent: [posted('firing', 0, { result: 'unknown' })], told: [heard('0', 1)] }],
    ['over before anybody was told', { sent: [posted('firing', 0), posted('resolved', 1)] }],
    [
      'given up, and in the dead letter',
      { sent: [posted('firing', 0)], letters: [{ kind: 'webhook', team: 'red', group: 'G' }] },
    ],
    [
      'a repeat under the same id',
      {
        sent: [posted('firing', 0)],
        told: [heard('0', 1, { notification: 'n' }), heard('0', 2, { notification: 'n', attempt: 2 })],
      },
    ],
    [
      'a page that came twice under its key',
      {
        sent: [posted('firing', 0, critical)],
        told: [heard('0', 1), heard('0', 1, slack), heard('0', 1, paged), heard('0', 2, paged)],
      },
    ],
    [
      'an end that may be a repeat, of a beginning that may have been heard',
      { sent: [posted('firing', 0), posted('resolved', 1)], told: [heard('0r', 2, { attempt: 2 })] },
    ],
    [
      'an attempt that failed, and one that went through',
      {
        sent: [posted('firing', 0)],
        told: [heard('0', 1, { notification: 'n.x', attempt: 2 })],
        ended: [ending(1, 'retry'), ending(2, 'told', { isDelivered: true })],
      },
    ],
  ])('%s', (_what, evidence) => {
    const { facts, violations } = verdict(evidence)
    expect(violations).toEqual([])
    expect(facts).toBeGreaterThan(0)
  })
})

describe('ledgers that break a promise, and what is said of them', () => {
  test.each<[string, Partial<Evidence>, RegExp]>([
    [
      'an accepted alert that nobody heard of',
      { sent: [posted('firing', 0)] },
      /^P1: G\.0 was accepted, and red\/webhook never/,
    ],
    [
      'a critical one that one of its channels never heard of',
      { sent: [posted('firing', 0, critical)], told: [heard('0', 1), heard('0', 1, paged)] },
      /^P1: G\.0 was accepted, and red\/slack never/,
    ],
    [
      'an end that was not told',
      { sent: [posted('firing', 0), posted('resolved', 5)], told: [heard('0', 1)] },
      /^P2: G\.0 is over, and red\/webhook was not told last/,
    ],
    [
      'something that is owed for ever',
      { sent: [posted('firing', 0)], told: [heard('0', 1)], owed: 1 },
      /^P2: 1 notifications are still owed/,
    ],
    [
      'a ledger that does not add up',
      { faults: ['2 were owed, 1 ended'] },
      /^P2: the ledger does not add up: 2 were owed/,
    ],
    [
      'written down as told, and never told',
      {
        sent: [posted('firing', 0)],
        letters: [{ kind: 'webhook', team: 'red', group: 'G' }],
        ended: [ending(1, 'told', { isDelivered: true })],
      },
      /^P2: red-warning\/webhook\/0 was written down as told/,
    ],
    [
      'the same under two ids',
      { sent: [posted('firing', 0)], told: [heard('0', 1), heard('0', 2)] },
      /^P3: red\/webhook was told twice about G/,
    ],
    [
      'the same attempt twice',
      {
        sent: [posted('firing', 0)],
        told: [heard('0', 1, { notification: 'n' }), heard('0', 2, { notification: 'n' })],
      },
      /^P3: red\/webhook was told twice about G/,
    ],
    [
      'a Slack message that does not say that it is a repeat',
      { sent: [posted('firing', 0)], told: [heard('0', 1), heard('0', 1, slack), heard('0', 2, slack)] },
      /^P3: red\/slack was told twice about G/,
    ],
    [
      'more repeats than were in flight',
      {
        sent: [posted('firing', 0)],
        told: [1, 2, 3].map((attempt) => heard('0', attempt, { notification: 'n', attempt })),
      },
      /^P3: 2 repeats, and 1 could have been in flight/,
    ],
    [
      'a second incident for the same group',
      {
        sent: [posted('firing', 0), posted('resolved', 2)],
        told: [heard('0', 1), heard('0r', 3), heard('0', 1, paged), heard('0r', 2, paged), heard('0', 3, paged)],
      },
      /^P3: G opened 2 incidents at red\/pagerduty/,
    ],
    [
      'an attempt that was overtaken and is written down all the same',
      { ended: [ending(2, 'retry'), ending(1, 'told')] },
      /^P3: attempt 1 of n was written down after attempt 2/,
    ],
    [
      'two ends of one notification',
      { ended: [ending(1, 'told'), ending(2, 'told')] },
      /^P3: n ended twice: told and told/,
    ],
    [
      'firing after it was told that it is over',
      { sent: [posted('firing', 0), posted('resolved', 2)], told: [heard('0', 1), heard('0r', 3), heard('0', 4)] },
      /^P4: red\/webhook was told that G\.0 fires after/,
    ],
    [
      'firing long after its end was accepted',
      { sent: [posted('firing', 0), posted('resolved', 2)], told: [heard('0', 2000)] },
      /^P4: red\/webhook was told that G\.0 fires 1998 ms after its end/,
    ],
    [
      'an all-clear for what was never announced',
      { sent: [posted('firing', 0), posted('resolved', 1)], told: [heard('0r', 2)] },
      /^P4: red\/webhook got an all-clear for G/,
    ],
    [
      "another team's alert",
      { sent: [posted('firing', 0)], told: [heard('0', 1), heard('0', 1, { team: 'blue' })] },
      /^P5: blue's webhook was told G\.0 of red/,
    ],
    [
      "another team's key",
      {
        sent: [posted('firing', 0, critical)],
        told: [heard('0', 1), heard('0', 1, slack), heard('0', 1, { ...paged, credential: 'blue-key' })],
      },
      /^P5: red's pagerduty was shown another's credentials/,
    ],
    [
      'an alert that nobody sent',
      { sent: [], told: [heard('7', 1)] },
      /^P5: red's webhook was told G\.7, which nobody sent/,
    ],
    [
      'a message about nothing',
      { sent: [posted('firing', 0)], told: [heard('0', 1), heard('0', 2, { alerts: [] })] },
      /^P5: red's webhook was told nothing about G/,
    ],
    [
      'a secret in a log',
      { captured: [{ where: 'the log', text: 'posting to /s3cret' }] },
      /^P17: secret 0 stands in the log/,
    ],
  ])('%s', (_what, evidence, said) => {
    expect(verdict(evidence).violations).toContainEqual(expect.stringMatching(said))
  })
})

describe('a copy of a beginning that a frozen engine reads after the end', () => {
  const began = (result: Sent['result']) => [
    posted('firing', 0, { result, ...critical }),
    posted('firing', 1, critical),
    posted('resolved', 3, critical),
  ]
  const told = (['webhook', 'slack', 'pagerduty'] as const).flatMap((kind) => {
    const more = kind === 'webhook' ? {} : kind === 'slack' ? slack : paged
    return [heard('0', 2, more), heard('0r', 4, more), heard('0', 6, more)]
  })

  test('may begin the alert once more', () => {
    expect(verdict({ sent: began('unknown'), told }, { lateCopies: true }).violations).toEqual([])
  })

  test.each<[string, Sent['result'], boolean]>([
    ['none had stood still', 'unknown', false],
    ['there was no copy of it', 'refused', true],
  ])('but not where %s', (_, result, lateCopies) => {
    const { violations } = verdict({ sent: began(result), told }, { lateCopies })
    expect(new Set(violations.map((one) => one.slice(0, 2)))).toEqual(new Set(['P2', 'P3', 'P4']))
  })
})
