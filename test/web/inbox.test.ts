import { expect, test } from 'vitest'
import { openTocsin, sandbox } from '../helpers/browser.ts'

const tocsin = openTocsin(sandbox)
const { fire } = tocsin
const open = (width = 1100) => tocsin.open('/inbox', { width })

test('an empty inbox tells how to send a first alert', async () => {
  await using opened = await open()
  const { page } = opened
  await page.getByText('No messages yet').waitFor()
  expect(await page.locator('pre').textContent()).toContain(`${tocsin.engine.url}/webhook`)
})

test('messages of every channel arrive without a reload, as their receivers see them, and hostile text is text', async () => {
  await using opened = await open()
  const { page, complaints } = opened
  await fire(
    { alertname: 'Drift', severity: 'critical', team: 'quant' },
    { summary: '<img src=x onerror=alert(1)>', description: 'fell to *41%*', runbook_url: 'javascript:alert(1)' },
  )
  await fire(
    { alertname: 'Disk', severity: 'warning', team: 'data' },
    { summary: 'Disk fills', description: '88% on /var' },
  )
  await page.locator('.message', { hasText: 'Mail' }).waitFor({ timeout: 15_000 })

  const slack = page.locator('.message', { has: page.locator('.slack') }).filter({ hasText: 'quant/critical' })
  expect(await slack.locator('h3').textContent()).toBe('<img src=x onerror=alert(1)>')
  expect(await slack.locator('rect').getAttribute('fill')).toBe('#ff0000')
  expect(await slack.locator('.slack strong').textContent()).toBe('41%')
  expect(await slack.locator('dd').allTextContents()).toEqual(['CRITICAL', 'quant'])

  const sms = page.locator('.bubble')
  expect(await sms.textContent()).toContain('CRITICAL quant: <img src=x onerror=alert(1)>. fell to *41%*')
  await page.locator('.badge.critical').first().waitFor()
  expect(await page.locator('a[href^="javascript:"]').count()).toBe(0)
  expect(await page.locator('img').count()).toBe(0)

  const mail = page.frameLocator('iframe').first()
  await mail.getByRole('heading', { name: 'Disk fills' }).waitFor()
  await page.getByRole('button', { name: 'Text', exact: true }).click()
  await page.locator('pre', { hasText: 'Severity: WARNING' }).waitFor()

  expect(complaints).toEqual([])
}, 40_000)

test('the list is narrowed by channel and by text', async () => {
  await using opened = await open()
  const { page } = opened
  await page.locator('.message').first().waitFor()
  const all = await page.locator('.message').count()
  await page.getByRole('button', { name: /^SMS/ }).click()
  expect(await page.locator('.message').count()).toBe(1)
  await page.getByRole('button', { name: /^All/ }).click()
  await page.getByRole('searchbox').fill('data/warning')
  expect(await page.locator('.message').count()).toBeLessThan(all)
  await page.getByRole('searchbox').fill('nothing like this')
  await page.getByText('No message fits the filter.').waitFor()
})

test('a phone shows it without scrolling sideways', async () => {
  await using opened = await open(375)
  const { page } = opened
  await page.locator('.message').first().waitFor()
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(375)
})

test('the connection is lost and comes back, and nothing is missed', async () => {
  await using opened = await open()
  const { page } = opened
  await page.locator('.message').first().waitFor()
  await page.context().setOffline(true)
  const before = await page.locator('.message').count()
  await fire({ alertname: 'Meanwhile', severity: 'critical', team: 'platform' }, { summary: 'Meanwhile' })
  await tocsin.engine.says(/^notification delivered/)
  await page.context().setOffline(false)
  await page.locator('.message', { hasText: 'Meanwhile' }).first().waitFor({ timeout: 15_000 })
  expect(await page.locator('.message').count()).toBeGreaterThan(before)
}, 30_000)

test('where the inbox was before leads to where it is', async () => {
  const answer = await fetch(`${tocsin.engine.url}/inbox`, { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([302, './#/inbox'])
})

test('an answer that is no stream, as from a proxy whose engine is away, is tried again', async () => {
  const page = await tocsin.browser.newPage()
  let refused = 0
  await page.route('**/api/tocsin/v1/events', (route) => {
    refused++
    return refused === 1 ? route.fulfill({ status: 502, body: 'bad gateway' }) : route.continue()
  })
  await page.goto(`${tocsin.engine.url}/#/inbox`)
  await page.getByText('reconnecting', { exact: true }).waitFor()
  await page.getByText('live', { exact: true }).waitFor({ timeout: 15_000 })
  expect(refused).toBeGreaterThan(1)
  await page.close()
})
