import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import type { Incident } from '../../src/incident/incident.ts'
import type { Delivery } from '../../src/store/deliveries.ts'
import { openPage, openTocsin, sandbox, seriousFaults } from '../helpers/browser.ts'
import { eventually, webhookPayload } from '../helpers/engine.ts'

const tocsin = openTocsin(sandbox)
const { open, fire } = tocsin

const LONG = `${'so it went on '.repeat(300)}to its end`

const count = (page: Page) => page.getByTestId('alert-count').textContent()
const alertLine = (page: Page, name: string) => page.getByRole('listitem', { name: `Alert: ${name}`, exact: true })
const incidentLine = (page: Page, title: string) =>
  page.getByRole('listitem', { name: `Incident: ${title}`, exact: true })

/** A line to the engine that can be cut, and mended. */
async function openTcpProxy({ hostname, port }: URL) {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((socket) => {
    if (isCut) return socket.destroy()
    const onward = connect(Number(port), hostname)
    for (const end of [socket, onward]) {
      sockets.add(end)
      end.on('error', () => end.destroy())
      end.on('close', () => {
        sockets.delete(end)
        socket.destroy()
        onward.destroy()
      })
    }
    socket.pipe(onward).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => (isCut = false),
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
    },
  }
}

/** Presses `j` until the line is there, from the first one on again where others came before it meanwhile. */
async function goTo(page: Page, name: string): Promise<void> {
  const focused = () => page.evaluate<string>("document.activeElement?.getAttribute('aria-label') ?? ''")
  await page.locator(`[data-line][aria-label='${name}']`).first().waitFor()
  let before = ''
  await eventually(
    async () => {
      await page.keyboard.press('j')
      const label = await focused()
      if (label === before && label !== name) await page.evaluate('document.activeElement?.blur()')
      before = label
      return label
    },
    (label) => label === name,
  )
}

test('where nothing fires the page says so, and how to send a first alert', async () => {
  await using opened = await open()
  const { page, complaints } = opened
  await page.getByText('Nothing fires.').waitFor()
  await page.getByText('No incident is open.').waitFor()
  expect(await page.locator('pre').textContent()).toContain(`${tocsin.engine.url}/webhook`)
  expect(complaints).toEqual([])
})

test('an alert that is posted is shown within a second, and goes when it resolves', async () => {
  await using opened = await open()
  const { page } = opened
  const took: number[] = []
  for (const name of ['Quick1', 'Quick2', 'Quick3']) {
    await fire({ alertname: name, severity: 'info' })
    const began = performance.now()
    await alertLine(page, name).waitFor()
    took.push(performance.now() - began)
  }
  expect(Math.min(...took)).toBeLessThan(1000) // the quickest: others share this machine
  await tocsin.engine.post(
    '/webhook',
    webhookPayload({
      labels: { alertname: 'Quick1', severity: 'info' },
      status: 'resolved',
      endsAt: new Date().toISOString(),
    }),
  )
  await alertLine(page, 'Quick1').waitFor({ state: 'detached' })
})

test('an incident is acknowledged by a key, and another window shows by whom', async () => {
  await fire({ alertname: 'Drift', severity: 'critical', team: 'quant' }, { summary: 'Model drifts' })
  await using mine = await open()
  await using theirs = await open()
  await incidentLine(theirs.page, 'Model drifts').getByText('nobody has it').waitFor()
  const { page } = mine
  await page.getByRole('button', { name: 'anonymous' }).click()
  await page.getByRole('textbox', { name: 'Nobody has to sign in here' }).fill('alice')
  await page.getByRole('button', { name: 'Save' }).click()
  await goTo(page, 'Incident: Model drifts')
  await page.keyboard.press('a')
  await incidentLine(theirs.page, 'Model drifts').getByText('alice has it').waitFor()
  const audit = await tocsin.engine.get<{ event: string; by: string }[]>('/api/tocsin/v1/audit')
  expect(audit[0]).toMatchObject({ event: 'incident acknowledged', by: 'alice' })
})

test('the filter speaks matchers, completes them by keys, and is in the address', async () => {
  await fire({ alertname: 'Disk', severity: 'warning', team: 'data', instance: 'db-1' })
  await fire({ alertname: 'Disk', severity: 'warning', team: 'data', instance: 'db-2' })
  await using opened = await open()
  const { page } = opened
  await alertLine(page, 'Disk').first().waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('inst')
  await page.getByRole('option', { name: 'instance=' }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('option', { name: '"db-2"' }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await eventually(
    () => count(page),
    (said) => said === '1 alert in 1 group',
  )
  expect(page.url()).toContain('#/?filter=instance%3D%22db-2%22')

  await using linked = await open(new URL(page.url()).hash.slice(1))
  await eventually(
    () => count(linked.page),
    (said) => said === '1 alert in 1 group',
  )
  await page.getByRole('combobox').fill('instance=~"db-(["')
  await page.keyboard.press('Escape')
  await page.getByText('error parsing regexp').waitFor()
})

test('a silence is filled in from the alert, says what it would hide, and hides it everywhere', async () => {
  await using mine = await open()
  await using theirs = await open()
  await alertLine(theirs.page, 'Disk').first().waitFor()
  const { page } = mine
  await goTo(page, 'Alert: Disk')
  await page.keyboard.press('s')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Hides 1 alert now').waitFor()
  await dialog.getByRole('combobox').fill('alertname="Disk"')
  await dialog.getByText('Hides 2 alerts now').waitFor()
  await dialog.getByLabel('Why').fill('a new disk is on its way')
  await dialog.getByLabel('Your name').fill('alice')
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await alertLine(theirs.page, 'Disk').first().waitFor({ state: 'detached' })
  await theirs.page.getByLabel(/^Suppressed/).check()
  await alertLine(theirs.page, 'Disk').getByText('silenced').first().waitFor()
})

test('why: what is silenced says by what, and until when', async () => {
  await using opened = await open('/?quiet=1')
  const { page } = opened
  const line = alertLine(page, 'Disk').first()
  await line.getByRole('button', { name: 'Disk' }).click()
  await line.getByRole('link', { name: 'Why?' }).click()
  await page.getByText(/Silenced by .*alertname="Disk".*, by alice: “a new disk is on its way”, until /).waitFor()
  await page
    .getByText(/not told: silenced by|quiet now: silenced by/)
    .first()
    .waitFor()
})

test('silences are listed, changed, ended and made', async () => {
  await using opened = await open('/silences')
  const { page } = opened
  const line = page.getByRole('listitem', { name: 'Silence: alertname="Disk"' })
  await line.getByText('hides 2 now').waitFor()
  await goTo(page, 'Silence: alertname="Disk"')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByLabel('Why').fill('the disk is late')
  await page.getByRole('button', { name: 'Save' }).click()
  await line.getByText('the disk is late').waitFor()
  await line.getByRole('button', { name: 'Expire' }).click()
  await line.waitFor({ state: 'detached' })
  await page.getByRole('tab', { name: /^expired/ }).click()
  await line.getByText('the disk is late').waitFor()
  await page.getByRole('button', { name: 'New silence' }).click()
  await page.getByRole('dialog').getByRole('combobox').fill('alertname="Later"')
  await page.getByRole('dialog').getByLabel('Why').fill('planned')
  await page.getByRole('dialog').getByLabel('Your name').fill('bob')
  await page.getByRole('button', { name: 'Silence', exact: true }).click()
  await page.getByRole('tab', { name: /^active/ }).click()
  await page.getByRole('listitem', { name: 'Silence: alertname="Later"' }).getByText('bob').waitFor()
})

test('addresses of Alertmanager’s page, as messages have them, lead to what they mean', async () => {
  const filter = encodeURIComponent('{alertname="Disk"}')
  await using opened = await open(`/alerts?receiver=data%2Fwarning&filter=${filter}`)
  const { page } = opened
  await eventually(
    () => count(page),
    (said) => said === '2 alerts in 1 group',
  )
  await page.getByRole('button', { name: 'Only of data/warning' }).click()
  expect(page.url()).not.toContain('receiver')
  await page.goto(`${tocsin.engine.url}/#/alerts?receiver=nobody`)
  await page.getByText('No alert fits the filter.').waitFor()
  await page.goto(`${tocsin.engine.url}/#/silences/new?filter=${filter}`)
  await page.getByRole('dialog', { name: 'New silence' }).getByText('Hides 2 alerts now').waitFor()
  await page.keyboard.press('Escape')
  const silences = await tocsin.engine.get<{ id: string; comment: string }[]>('/api/v2/silences')
  const ended = silences.find(({ comment }) => comment === 'the disk is late')
  await page.goto(`${tocsin.engine.url}/#/silences/${ended?.id}`)
  await page.getByRole('tab', { name: /^expired/i, selected: true }).waitFor()
  await page.getByRole('listitem', { name: 'Silence: alertname="Disk"' }).waitFor()
})

test('a silence is made by keys alone', async () => {
  await using opened = await open('/silences')
  const { page } = opened
  await page.getByRole('tab', { name: /^active/i }).waitFor()
  await page.keyboard.press('s')
  await page.getByRole('dialog', { name: 'New silence' }).waitFor()
  await page.getByRole('dialog').getByRole('combobox').focus()
  await page.keyboard.type('alertname="ByKeys"')
  await page.keyboard.press('Escape') // what is offered
  await page.getByRole('dialog').getByLabel('Why').focus()
  await page.keyboard.type('planned')
  await page.keyboard.press('Tab')
  await page.keyboard.type('carol')
  await page.keyboard.press('Enter')
  await page.getByRole('listitem', { name: 'Silence: alertname="ByKeys"' }).getByText('carol').waitFor()
})

test('the same is done by clicking: acknowledge, resolve, silence this, copy link', async () => {
  await fire({ alertname: 'Clicked', severity: 'critical', team: 'data', shard: '7' }, { summary: 'Click it' })
  await using opened = await open()
  const { page } = opened
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()')
  const incident = incidentLine(page, 'Click it')
  await incident.getByRole('button', { name: 'Acknowledge' }).click()
  await incident.getByRole('button', { name: 'Resolve' }).click()
  await incident.waitFor({ state: 'detached' })
  const line = alertLine(page, 'Clicked')
  await line.getByRole('button', { name: 'Clicked' }).click()
  await line.getByRole('button', { name: 'Copy link' }).click()
  await page.getByText('Link copied').waitFor()
  await using linked = await open(new URL(await clipboard()).hash.slice(1))
  await alertLine(linked.page, 'Clicked').waitFor()
  expect(await count(linked.page)).toBe('1 alert in 1 group')
  await line.getByRole('button', { name: 'Silence this' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Hides 1 alert now: Clicked').waitFor()
  expect(await dialog.getByRole('combobox').inputValue()).toContain('shard="7"')
  await dialog.getByRole('button', { name: '4 h' }).click()
  await dialog.getByLabel('Why').fill('seen')
  await dialog.getByLabel('Your name').fill('dora')
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click()
  await line.waitFor({ state: 'detached' })
})

test('an incident tells all that happened, takes notes, and is resolved', async () => {
  await using opened = await open()
  const { page } = opened
  await goTo(page, 'Incident: Model drifts')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Model drifts' }).waitFor()
  await page.getByText('Acknowledged by alice').waitFor()
  await page.getByText('Told by SMS, +61400000000').click()
  await page.getByText('CRITICAL quant: Model drifts').waitFor()
  await page.getByLabel('A note for the timeline').fill('retraining <b>now</b>')
  await page.keyboard.press('Enter')
  await page.getByText('retraining <b>now</b>').waitFor()
  await page.getByRole('listitem', { name: 'Alert: Drift' }).getByText('firing').waitFor()
  await page.getByRole('button', { name: 'Resolve' }).click()
  await page.getByText('Resolved by').waitFor()
})

test('on an incident’s own page a key acknowledges it', async () => {
  await fire({ alertname: 'Stale', severity: 'critical', team: 'data' }, { summary: 'Feed is stale' })
  await using opened = await open()
  const { page } = opened
  await incidentLine(page, 'Feed is stale').getByRole('link').click()
  await page.getByText('Told by Slack').first().waitFor()
  await page.keyboard.press('a')
  await page.getByText('Acknowledged by anonymous').waitFor()
})

test('times are the reader’s own, and pointed at they are UTC', async () => {
  const timeZone = 'Asia/Tokyo'
  await using opened = await open('/incidents', { timeZone })
  const { page } = opened
  await page.getByRole('link', { name: 'Feed is stale' }).click()
  const opening = page.locator('.timeline > li', { hasText: 'Opened' }).locator('time')
  const at = new Date((await opening.getAttribute('datetime')) ?? '')
  const local = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone }).format(at)
  expect(await opening.textContent()).toContain(local)
  expect(await opening.getAttribute('title')).toBe(`${at.toISOString().replace('T', ' ').slice(0, 19)} UTC`)
})

test('a wait stands on the timeline, with what was waited for', async () => {
  await using opened = await open('/incidents')
  const { page } = opened
  await page.route('**/api/tocsin/v1/deliveries?**', async (route) => {
    const answer = await route.fetch()
    const { deliveries, next } = (await answer.json()) as { deliveries: Delivery[]; next: string }
    const late = deliveries.map((one) => ({
      ...one,
      owedAt: new Date(Date.parse(one.at) - 180_000).toISOString(),
      waitedFor: 'budget',
    }))
    await route.fulfill({ json: { deliveries: late, next } })
  })
  await page.getByRole('link', { name: 'Feed is stale' }).click()
  await page
    .getByText(/Told by Slack waited for the budget of where it goes, 3 min since it was owed/)
    .first()
    .waitFor()
})

test('notifications are searched, and opened to their attempts and the message itself', async () => {
  await using opened = await open('/notifications')
  const { page } = opened
  await page.keyboard.press('/')
  await page.keyboard.type('model drifts')
  await page.getByLabel('Channel').selectOption('slack')
  await eventually(
    () => page.locator('.lines > .line').count(),
    (lines) => lines === 1,
  )
  await page.getByRole('searchbox').press('Escape')
  await goTo(page, 'Notification: Model drifts')
  await page.keyboard.press('Enter')
  await page.locator('.slack').getByText('quant', { exact: true }).waitFor()
  await page.getByText(/attempt 1 · delivered/).waitFor()
  expect(page.url()).toContain('text=model+drifts')
  await page.getByRole('tab', { name: /^Dead letters/i }).click()
  await page.getByText('No dead letters').waitFor()
  await page.getByRole('tab', { name: /^Waiting/ }).click()
  await page.getByText('Nothing waits').waitFor()
})

test('the message of a mail is shown as it was sent, its HTML in a frame of its own', async () => {
  await fire({ alertname: 'Mailed', severity: 'warning', team: 'data' }, { summary: 'By mail', description: LONG })
  await using opened = await open('/notifications?channel=email&text=by+mail')
  const { page } = opened
  await page.locator('.line .title').first().click({ timeout: 20_000 })
  await page.frameLocator('iframe').getByRole('heading', { name: 'By mail' }).waitFor()
  await page.getByRole('button', { name: 'Text', exact: true }).click()
  expect(await page.locator('.exact pre').textContent()).toContain(LONG) // the delivery log itself has 2,000 characters
  expect(await seriousFaults(page)).toEqual([])
}, 40_000)

test('why: of an alert, and of labels typed in', async () => {
  await using opened = await open()
  const { page } = opened
  await alertLine(page, 'Drift').getByRole('button', { name: 'Drift' }).click()
  await alertLine(page, 'Drift').getByRole('link', { name: 'Why?' }).click()
  await page
    .getByText(/told at .* that it fires/)
    .first()
    .waitFor()
  await page.getByText('team="data" does not hold: it is “quant”').waitFor()
  await page.getByText('takes it').first().waitFor({ state: 'attached' })
  await page.keyboard.press('/')
  await page.getByRole('combobox').fill('severity="warning", team="data"')
  await page.keyboard.press('Enter')
  await page.getByText('not firing').waitFor()
  await page.getByText('data/warning').first().waitFor()
  expect(await page.getByText('would be told').count()).toBe(2)
})

test('routing: the table, the tree with what it catches, and where labels would go', async () => {
  await using opened = await open('/routing')
  const { page } = opened
  await page.getByRole('row', { name: /^quant PagerDuty, Slack, SMS/ }).waitFor()
  await page.locator('.route', { hasText: 'quant/critical' }).getByText('1 now').waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('severity="critical", team="quant"')
  await page.keyboard.press('Enter')
  await eventually(
    () => page.getByTestId('goes-to').textContent(),
    (said) => said?.startsWith('Goes to quant/critical: PagerDuty, Slack, SMS') ?? false,
  )
  expect(await page.locator('.takes > .route').textContent()).toContain('quant/critical')
  expect(await page.locator('.takes > .route').textContent()).toMatch(/1 now · [1-9]\d* in 24 h/)
  expect(await page.locator('td.taking').textContent()).toContain('PagerDuty, Slack, SMS')
  await page.getByRole('combobox').fill('severity="info"')
  await page.getByRole('button', { name: 'Where would it go?' }).click()
  await page.getByText('Goes to platform/info: Mail').waitFor()
})

test('health: a tile for each part, and four charts that have what was counted', async () => {
  await using opened = await open('/health')
  const { page } = opened
  await page.getByRole('listitem', { name: /^Overall: \d+ of 100/ }).waitFor()
  for (const part of ['Receiving', 'Redis', 'Queue', 'Slack', 'PagerDuty', 'SMS', 'Mail'])
    await page.getByRole('listitem', { name: new RegExp(`^${part}: 100 of 100, well`) }).waitFor()
  expect(await page.locator('.chart canvas').count()).toBe(4)
  await page.locator('.legend', { hasText: 'Slack:' }).waitFor({ timeout: 25_000 }) // a point takes ten seconds
  await page.locator('.legend', { hasText: /p50: \d.*p95: \d/ }).waitFor()
})

test('health: a channel is red while it fails, orange when it has, and the whole is as its lowest part', async () => {
  await using opened = await open()
  const { page } = opened
  const channel = (of: string, status: string) => ({ name: 'delivery', of, status, reason: 'as it is' })
  const parts = [
    { name: 'redis', status: 'ok', reason: 'well' },
    channel('slack', 'ok'),
    channel('pagerduty', 'degraded'),
  ]
  const counts = { 'told:slack': 1, 'failed:slack': 3, 'told:pagerduty': 1, 'failed:pagerduty': 3 }
  await page.route('**/api/tocsin/v1/health', (route) =>
    route.fulfill({ json: { status: 'degraded', at: new Date().toISOString(), parts } }),
  )
  await page.route('**/api/tocsin/v1/series?**', (route) => route.fulfill({ json: [{ at: Date.now(), counts }] }))
  await page.goto(`${tocsin.engine.url}/#/health`)
  await page.getByRole('listitem', { name: 'Redis: 100 of 100, well' }).waitFor()
  await page.getByRole('listitem', { name: 'Slack: 80 of 100, impaired' }).waitFor()
  const failing = page.getByRole('listitem', { name: 'PagerDuty: 25 of 100, failing' })
  await failing.getByText('3 of 4 attempts of the last hour failed; as it is').waitFor()
  await page.getByRole('listitem', { name: 'Overall: 25 of 100, failing' }).getByText('PagerDuty').waitFor()
  expect(await seriousFaults(page)).toEqual([])
})

test('health: figures against their targets, and what goes wrong most', async () => {
  await using opened = await open()
  const { page } = opened
  const figure = { name: 'delivery_availability', unit: 'ratio', of: 200, better: 'higher' }
  await page.route('**/api/tocsin/v1/kpis', (route) =>
    route.fulfill({
      json: {
        kpis: [
          { ...figure, value: 0.985, target: 0.999, met: false },
          { name: 'mttr', unit: 'seconds', value: 90, of: 3, target: 1800, better: 'lower', met: true },
          { name: 'coverage', unit: 'ratio', value: null, of: 0, target: 1, better: 'higher', met: null },
        ],
      },
    }),
  )
  const none = { total: 0, types: [], affectedServices: [] }
  const minute = { type: 'error_spike', timestamp: new Date().toISOString(), count: 40, threshold: 10 }
  const deliveries = { ...none, total: 3, attempts: 200, types: [{ name: 'server error', count: 3 }] }
  await page.route('**/api/tocsin/v1/patterns?window=24h', (route) =>
    route.fulfill({ json: { alerts: none, deliveries, anomalies: [minute] } }),
  )
  await page.route('**/api/tocsin/v1/audit?**', (route) => route.fulfill({ json: [] }))
  await page.goto(`${tocsin.engine.url}/#/health`)
  await page.getByText('Nobody has done anything yet.').waitFor()
  await page.getByRole('row', { name: 'Delivery availability 98.5 % missed at least 99.9 % 200' }).waitFor()
  await page.getByRole('row', { name: 'MTTR 90 s met at most 30 min 3' }).waitFor()
  await page.getByRole('row', { name: 'Coverage – at least 100 % 0' }).waitFor()
  await page.getByText('Failed attempts: 3 of 200').waitFor()
  await page.getByText('server error 3').waitFor()
  await page.getByText(/Error spike .*: 40 in a minute, where 10 would have been much/).waitFor()
  expect(await seriousFaults(page)).toEqual([])
})

// What each page reads first.
const readings = [
  ['/', '**/api/tocsin/v1/alerts'],
  ['/', '**/api/tocsin/v1/incidents'],
  ['/incidents', '**/api/tocsin/v1/incidents'],
  ['/incidents/1', '**/api/tocsin/v1/incidents/1'],
  ['/notifications', '**/api/tocsin/v1/deliveries?**'],
  ['/notifications?view=waiting', '**/api/tocsin/v1/notifications'],
  ['/notifications?view=dead', '**/api/tocsin/v1/deadletters'],
  ['/silences', '**/api/v2/silences'],
  ['/why?labels=a%3D%22b%22', '**/api/tocsin/v1/why?**'],
  ['/routing', '**/api/tocsin/v1/routing'],
  ['/health', '**/api/tocsin/v1/health'],
  ['/health', '**/api/tocsin/v1/kpis'],
  ['/health', '**/api/tocsin/v1/patterns?**'],
  ['/health', '**/api/tocsin/v1/audit?**'],
  ['/inbox', '**/api/tocsin/v1/inbox'],
] as const

test.each(readings)(
  '%s says that it loads, and what is wrong where %s is refused, until it is not',
  async (place, path) => {
    await using opened = await open('/why')
    const { page } = opened
    let answer: () => void = () => {}
    const asked = new Promise<void>((go) => (answer = go))
    let isRefused = true
    await page.route(path, async (route) => {
      await asked
      if (isRefused) await route.fulfill({ status: 503, json: { message: 'Redis does not answer' } })
      else await route.continue()
    })
    await page.goto(`${tocsin.engine.url}/#${place}`)
    await page.reload() // a page that has read nothing yet
    await page.getByRole('status', { name: 'Loading' }).first().waitFor()
    answer()
    const refused = page.getByRole('alert').filter({ hasText: 'Redis does not answer' })
    await refused.first().waitFor()
    isRefused = false
    await refused.first().getByRole('button', { name: 'Try again' }).click()
    await refused.first().waitFor({ state: 'detached' })
    await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
  },
)

test('the page behind an acknowledge link: on a phone, in the dark, one large button', async () => {
  await fire(
    { alertname: 'Linked', severity: 'critical', team: 'data' },
    { summary: `It is <b>${'long '.repeat(40)}</b>` },
  )
  const incident = await eventually(
    async () => (await tocsin.engine.get<Incident[]>('/api/tocsin/v1/incidents'))[0],
    (newest) => newest?.title.startsWith('It is <b>') ?? false,
  )
  for (const scheme of ['light', 'dark'] as const) {
    await using opened = await open('/', { width: 375, scheme })
    const { page, complaints } = opened
    await page.evaluate("localStorage.setItem('tocsin-name', 'alice')")
    await page.goto(`${tocsin.engine.url}/ack/${incident?.id}`)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375)
    expect(await seriousFaults(page)).toEqual([])
    const button = page.getByRole('button', { name: 'Acknowledge' })
    if (scheme === 'light') {
      expect((await button.boundingBox())?.height).toBeGreaterThan(44)
      await button.focus()
      await page.keyboard.press('Enter')
      await page.getByText('Acknowledged by alice.').waitFor()
    } else await page.getByText('This incident is acknowledged by alice.').waitFor()
    expect(await button.count()).toBe(0)
    expect(complaints).toEqual([])
  }
})

test('the connection is cut and comes back: nothing that happened meanwhile is lacking', async () => {
  await using line = await openTcpProxy(new URL(tocsin.engine.url))
  await using burning = await openPage(tocsin.browser, line.url)
  await using inbox = await openPage(tocsin.browser, line.url, '/inbox')
  line.cut()
  await burning.page.getByText('reconnecting', { exact: true }).waitFor()
  await fire({ alertname: 'Meanwhile', severity: 'critical', team: 'data' }, { summary: 'Meanwhile' })
  const incidents = await eventually(
    () => tocsin.engine.get<{ id: string; title: string }[]>('/api/tocsin/v1/incidents'),
    (all) => all.some(({ title }) => title === 'Meanwhile'),
  )
  const id = incidents.find(({ title }) => title === 'Meanwhile')?.id
  await tocsin.engine.post(`/api/tocsin/v1/incidents/${id}/ack`, { by: 'carol' })
  const messages = await eventually(
    () => tocsin.engine.get<{ title: string }[]>('/api/tocsin/v1/inbox'),
    (all) => all.filter(({ title }) => title === 'Meanwhile').length === 2, // PagerDuty and Slack
  )
  await burning.page.getByText(/What is shown is from before/).waitFor()
  line.mend()
  for (const { page } of [burning, inbox]) await page.getByText('live', { exact: true }).waitFor()
  await incidentLine(burning.page, 'Meanwhile').getByText('carol has it').waitFor()
  await alertLine(burning.page, 'Meanwhile').waitFor()
  await inbox.page.getByRole('button', { name: `All ${messages.length}` }).waitFor()
})

describe.each(['light', 'dark'] as const)('in %s', (scheme) => {
  const places = [
    '/',
    '/incidents',
    '/incidents/1',
    '/notifications',
    '/silences',
    '/why?labels=severity%3D%22critical%22',
    '/routing',
    '/health',
    '/inbox',
  ]
  test('no page has a serious fault of accessibility, and none scrolls sideways on a phone', async () => {
    await using opened = await open('/', { width: 375, scheme })
    const { page, complaints } = opened
    for (const place of places) {
      await page.goto(`${tocsin.engine.url}/#${place}`)
      await page.locator('main h1').first().waitFor({ state: 'attached' })
      await eventually(
        () => page.locator('main .loading').count(),
        (loading) => loading === 0,
      )
      expect([place, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([place, 375])
      expect([place, await seriousFaults(page)]).toEqual([place, []])
    }
    expect(complaints.filter((text) => !/404/.test(text))).toEqual([]) // of the security policy, say
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('link', { name: 'Silences' }).click()
    await page.getByRole('heading', { name: 'Silences' }).waitFor()
  })
})

test.each(['light', 'dark'] as const)(
  'dialogs and the list of keys have no serious fault either, in %s',
  async (scheme) => {
    await using opened = await open('/silences', { scheme, width: 375 })
    const { page } = opened
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    expect(await seriousFaults(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'New silence' }).click()
    await page.getByRole('dialog', { name: 'New silence' }).waitFor()
    expect(await seriousFaults(page)).toEqual([])
  },
)

test('colours are chosen by hand, and stay', async () => {
  await using opened = await open()
  const { page } = opened
  await page.getByRole('button', { name: 'Dark colours' }).click()
  await page.reload()
  await page.getByRole('button', { name: 'Light colours' }).waitFor()
})

test('five thousand alerts are loaded, filtered and shown in groups, and stay live', async () => {
  const labels = (i: number) => ({
    alertname: `Many${i % 50}`,
    severity: ['warning', 'info'][i % 2] ?? '',
    team: ['data', 'quant', 'platform'][i % 3] ?? '',
    instance: `host-${i}`,
  })
  for (let from = 0; from < 5000; from += 1000) {
    const some = Array.from({ length: 1000 }, (_none, i) => ({
      labels: labels(from + i),
      startsAt: new Date().toISOString(),
    }))
    expect((await tocsin.engine.post('/webhook', webhookPayload(...some))).status).toBe(200)
  }
  await using opened = await open()
  const { page } = opened
  await eventually(
    () => count(page),
    (said) => /^5,0\d\d alerts in/.test(said ?? ''),
  )
  expect(await page.locator('.alert').count()).toBeLessThan(500) // not all of them are drawn
  await page
    .getByRole('button', { name: /in this group$/ })
    .first()
    .click()
  const [typical = 0, slowest = 0] = await page.evaluate<number[]>(`(async () => {
    const frames = []
    const end = performance.now() + 2000
    for (let last = performance.now(); last < end;) {
      scrollBy(0, 150)
      await new Promise(requestAnimationFrame)
      frames.push(performance.now() - last)
      last = performance.now()
    }
    frames.sort((a, b) => a - b)
    return [frames[Math.floor(frames.length / 2)], frames.at(-1)]
  })()`)
  process.stdout.write(
    `scrolling through 5,000 alerts: a frame takes ${typical.toFixed(0)} ms, the slowest ${slowest.toFixed(0)} ms\n`,
  )
  expect(typical).toBeLessThan(50)
  const took = await page.evaluate<number>(`(async () => {
    const field = document.querySelector('[data-main-filter]')
    const began = performance.now()
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, 'instance="host-4321"')
    field.dispatchEvent(new Event('input', { bubbles: true }))
    while (!document.querySelector('[data-testid=alert-count]').textContent.startsWith('1 alert in')) await new Promise(requestAnimationFrame)
    return performance.now() - began
  })()`)
  process.stdout.write(`filtering 5,000 alerts takes ${took.toFixed(0)} ms\n`)
  expect(took).toBeLessThan(2000)
  await page.getByText('host-4321').first().waitFor()
  await page.getByRole('combobox').fill('alertname="Late"')
  await fire({ alertname: 'Late', severity: 'info' })
  await alertLine(page, 'Late').waitFor()
})
