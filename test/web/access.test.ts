import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Delivery } from '../../src/store/deliveries.ts'
import { bcrypt, sha256 } from '../helpers/access.ts'
import { openTocsin, seriousFaults } from '../helpers/browser.ts'
import { eventually, tempDir } from '../helpers/engine.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'

// An engine as in production: users, a route prefix, no sandbox, a channel that refuses.

const dir = tempDir()
const file = join(dir.path, 'tocsin.yml')
let answer: Answer = { status: 404, body: 'no such hook' }
const sink = await openHttpSink(() => answer)
const config = `
severities: { critical: { notify: [webhook], incident: true, group_wait: 0s } }
teams: { platform: { default: true, webhook: '${sink.url}/hook' }, quant: { webhook: '${sink.url}/quant' } }
route: { group_by: [alertname, severity, team], routes: [{ matchers: [severity="critical", team="nobody"] }] }
inhibit_rules: [{ source_matchers: [alertname="Source"], target_matchers: [alertname="Target"], equal: [zone] }]
`
const tocsin = openTocsin(() => {
  writeFileSync(file, config)
  const web = join(dir.path, 'web.yml')
  const users = ['root', 'vera', 'rosa', 'adam'].map((name) => `  ${name}: ${bcrypt(`${name}-secret`)}`).join('\n')
  writeFileSync(
    web,
    `basic_auth_users:\n${users}\nusers:\n  vera: { role: view }\n  rosa: { role: respond, teams: [quant] }\n  adam: { role: admin, teams: [quant] }\n` +
      `bearer_tokens:\n  - { name: sender, sha256: ${sha256('sender')}, role: admin }\n`,
  )
  return { config: file, args: [`--web.config.file=${web}`, '--web.route-prefix=/tocsin'] }
})
const { open } = tocsin

beforeAll(async () => {
  for (const team of ['platform', 'quant']) await post({ alertname: `Of ${team}`, team })
})
afterAll(async () => {
  await sink[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})

const asSender = { 'Content-Type': 'application/json', Authorization: 'Bearer sender' }

/** A critical alert that fires from now on. */
async function post(labels: Record<string, string>): Promise<void> {
  const alert = { labels: { severity: 'critical', ...labels }, startsAt: new Date().toISOString() }
  const body = JSON.stringify([alert])
  const answered = await fetch(`${tocsin.engine.url}/api/v2/alerts`, { method: 'POST', headers: asSender, body })
  expect(answered.status).toBe(200)
}

async function ask<T>(path: string): Promise<T> {
  const answered = await fetch(`${tocsin.engine.url}/api/tocsin/v1${path}`, { headers: asSender })
  return (await answered.json()) as T
}

test('who is not signed in sees a form and nothing else; a wrong password is said to be one', async () => {
  await using opened = await open('/', { as: 'stranger' })
  const { page } = opened
  const answered = await fetch(`${tocsin.engine.url}/`)
  expect(answered.headers.get('cache-control')).toBe('no-cache')
  expect(answered.headers.get('content-security-policy')).toContain("default-src 'self'")
  const script = await page.locator('script[src]').getAttribute('src')
  const asset = await fetch(new URL(script ?? '', `${tocsin.engine.url}/`))
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  await page.getByLabel('User').fill('vera')
  await page.getByLabel('Password').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('the user or the password is wrong').waitFor()
  expect(await seriousFaults(page)).toEqual([])
  expect(await page.getByText('Of platform').count()).toBe(0)
})

test('who may only view is offered nothing that changes anything', async () => {
  await using opened = await open('/', { as: 'vera' })
  const { page } = opened
  await page.getByRole('listitem', { name: 'Incident: Of quant' }).waitFor()
  expect(await page.getByRole('button', { name: /Acknowledge|Silence/ }).count()).toBe(0)
  await page.goto(`${tocsin.engine.url}/#/silences`)
  await page.getByRole('heading', { name: 'Silences' }).waitFor()
  expect(await page.getByRole('button', { name: 'New silence' }).count()).toBe(0)
  await page.goto(`${tocsin.engine.url}/#/routing`)
  await page.getByRole('row', { name: /^quant/ }).waitFor()
  expect(await page.getByRole('button', { name: 'Reload the file' }).count()).toBe(0)
  expect(await page.getByRole('link', { name: 'Inbox' }).count()).toBe(0) // there is none outside of the sandbox
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('User').waitFor()
})

test('who belongs to a team sees that team’s, live, and acts in their own name', async () => {
  await using opened = await open('/', { as: 'rosa' })
  const { page } = opened
  const line = page.getByRole('listitem', { name: 'Incident: Of quant' })
  await line.getByRole('button', { name: 'Acknowledge' }).click()
  await line.getByText('rosa has it').waitFor()
  expect(await page.getByText('Of platform').count()).toBe(0)
  for (const team of ['platform', 'quant']) await post({ alertname: `More of ${team}`, team })
  await page.getByRole('listitem', { name: 'Alert: More of quant' }).waitFor()
  expect(await page.getByText('More of platform').count()).toBe(0)
})

test('a dead letter says what to do, and is sent again', async () => {
  await using opened = await open('/notifications?view=dead', { as: 'root' })
  const { page } = opened
  const letters = page.locator('.line.turn-dead')
  await eventually(
    () => letters.count(),
    (count) => count >= 3,
  )
  await letters.first().getByText('HTTP 404: no such hook').waitFor()
  await letters.first().getByText('What to do:').waitFor()
  expect(await seriousFaults(page)).toEqual([])
  answer = { status: 200 }
  const before = await letters.count()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await eventually(
    () => letters.count(),
    (count) => count === before - 1,
  )
  await page.getByRole('button', { name: /^Send all/ }).click()
  await page.getByText('No dead letters').waitFor()
  await page.getByRole('tab', { name: 'History' }).click()
  await page.getByLabel('State').selectOption('dead')
  await page.locator('.line').first().getByRole('button').first().click()
  await page.getByText('failed, client error: HTTP 404: no such hook').first().waitFor()
})

test('what was told is shown word for word, credentials apart, to whose it is', async () => {
  await using opened = await open('/notifications?receiver=quant%2Fcritical', { as: 'rosa' })
  const { page } = opened
  await page.locator('.line .title').last().click()
  const body = await page.locator('.exact pre').textContent()
  expect(JSON.parse(body ?? '')).toMatchObject({
    version: '4',
    receiver: 'quant/critical',
    groupLabels: { team: 'quant' },
  })
  expect(body).not.toContain(sink.url)
  const status = async (receiver: string) => {
    const [turn] = (await ask<{ deliveries: Delivery[] }>(`/deliveries?receiver=${receiver}&state=dead`)).deliveries
    const of = { notification: turn?.toldAs ?? '', integration: turn?.integration ?? '' }
    const address = `api/tocsin/v1/message?${new URLSearchParams(of).toString()}`
    return page.evaluate<number>(`fetch(${JSON.stringify(address)}).then(({ status }) => status)`)
  }
  expect(await status('quant/critical')).toBe(200)
  expect(await status('platform/critical')).toBe(404) // of another team
})

test('why: each matcher up to the one that did not hold, and what inhibits', async () => {
  await post({ alertname: 'Source', zone: 'a' })
  await post({ alertname: 'Target', zone: 'a' })
  await using opened = await open('/why', { as: 'vera' })
  const { page } = opened
  await page.getByRole('combobox').fill('alertname="Target", severity="critical", zone="a"')
  await page.getByRole('button', { name: 'Where would it go?' }).click()
  await page.getByText('severity="critical" holds').waitFor()
  await page.getByText('team="nobody" does not hold: it is not there').waitFor()
  await page.getByText(/alertname="Source".* inhibits .*alertname="Target".*, where zone are the same/).waitFor()
  await page
    .getByText(/inhibited by/)
    .first()
    .waitFor()
  await page.getByRole('link', { name: 'another alert' }).click()
  await page.getByText('Nothing: no silence, no inhibition, no time interval.').waitFor()
})

test('whatever is done on the page is in the audit log, with who did it', async () => {
  await using opened = await open('/', { as: 'root' })
  const { page } = opened
  await page.getByRole('listitem', { name: 'Incident: Of platform' }).getByRole('link').click()
  await page.getByLabel('A note for the timeline').waitFor() // on the page before, there are several such buttons
  await page.getByRole('button', { name: 'Acknowledge' }).click()
  await page.getByText('Acknowledged by root').waitFor()
  await page.getByLabel('A note for the timeline').fill('looking')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByText('Note by root').waitFor()
  await page.getByRole('button', { name: 'Resolve' }).click()
  await page.getByText('Resolved by root').waitFor()
  await page.getByRole('link', { name: 'Silences' }).click()
  await page.getByRole('button', { name: 'New silence' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('combobox').fill('alertname="Of nobody"')
  await dialog.getByLabel('Why').fill('a try')
  expect(await dialog.getByLabel('Your name').count()).toBe(0) // the engine knows
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click()
  const line = page.getByRole('listitem', { name: 'Silence: alertname="Of nobody"' })
  await line.getByRole('button', { name: 'Edit' }).click()
  await dialog.getByLabel('Why').fill('another try')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await line.getByText('another try').waitFor()
  await line.getByRole('button', { name: 'Expire' }).click()
  await line.waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Routing' }).click()
  await page.getByRole('button', { name: 'Reload the file' }).click()
  await page.getByText('The routing file was loaded').waitFor()
  const lines = (await ask<{ event: string; by: string }[]>('/audit')).filter(({ by }) => by === 'root')
  expect(lines.map(({ event }) => event)).toEqual(
    expect.arrayContaining([
      'incident acknowledged',
      'note added',
      'incident resolved',
      'silence created',
      'silence updated',
      'silence expired',
      'reload asked for',
      'dead letter sent again',
    ]),
  )
  await page.getByRole('link', { name: 'Health' }).click()
  const rows = page.getByRole('region', { name: 'Who did what' }).getByRole('row')
  const row = (what: string) => rows.filter({ hasText: what }).first()
  await row('Reload asked for').waitFor()
  expect((await rows.allInnerTexts()).slice(1, 4).map((text) => text.split('\t').slice(1, 3))).toEqual([
    ['root', 'Reload asked for'],
    ['root', 'Silence expired'],
    ['root', 'Silence updated'],
  ])
  expect(await row('Logged in').locator('time').getAttribute('title')).toMatch(/ UTC$/)
  await row('Silence expired').getByRole('link').click()
  await line.getByText('another try').waitFor()
  await page.goBack()
  await row('Incident resolved').getByRole('link').click()
  await page.getByText('Resolved by root').waitFor()
  await page.goBack()
  await row('Dead letter sent again').getByRole('link').click()
  await page
    .getByRole('listitem', { name: /^Notification:/ })
    .first()
    .waitFor()
  const letter = await page.getByRole('searchbox').inputValue()
  const { deliveries } = await ask<{ deliveries: Delivery[] }>(`/deliveries?text=${letter}`)
  expect(new Set(deliveries.map((turn) => turn.row))).toEqual(new Set([letter]))
})

test('who did what is shown to those who may read of all teams, and to nobody else', async () => {
  for (const [as, count] of [
    ['root', 1],
    ['vera', 0],
    ['adam', 0],
  ] as const) {
    await using opened = await open('/health', { as })
    await opened.page.getByRole('heading', { name: 'Error patterns' }).waitFor()
    expect(await opened.page.getByRole('heading', { name: 'Who did what' }).count(), as).toBe(count)
  }
})

test('a reload that fails shows every mistake with its place, to all who look, until it is mended', async () => {
  await using opened = await open('/routing', { as: 'root' })
  await using watching = await open('/routing', { as: 'vera' })
  const { page } = opened
  writeFileSync(file, config.replace('notify: [webhook]', 'notify: [webhok]'))
  await page.getByRole('button', { name: 'Reload the file' }).click()
  for (const one of [page, watching.page]) {
    await one.getByRole('heading', { name: 'The file as it stands is not in force' }).waitFor()
    await one
      .getByText(/tocsin\.yml:2:\d+/)
      .first()
      .waitFor()
    await one
      .getByText(/webhok/)
      .first()
      .waitFor()
  }
  writeFileSync(file, config)
  await page.getByRole('button', { name: 'Reload the file' }).click()
  for (const one of [page, watching.page])
    await one.getByRole('heading', { name: 'The file as it stands is not in force' }).waitFor({ state: 'detached' })
})
