import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bcrypt, sha256 } from '../helpers/access.ts'
import { launchBrowser, seriousFaults } from '../helpers/browser.ts'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'

// An engine as in production: users, a route prefix, no sandbox, a channel that refuses.

const dir = tempDir()
const file = join(dir.path, 'tocsin.yml')
let answer: Answer = { status: 404, body: 'no such hook' }
const sink = await openHttpSink(() => answer)
const config = `
severities: { critical: { notify: [webhook], incident: true, group_wait: 0s } }
teams: { platform: { default: true, webhook: '${sink.url}/hook' }, quant: { webhook: '${sink.url}/quant' } }
`
let engine: Engine
let browser: Browser

beforeAll(async () => {
  writeFileSync(file, config)
  const web = join(dir.path, 'web.yml')
  const users = ['root', 'vera', 'rosa'].map((name) => `  ${name}: ${bcrypt(`${name}-secret`)}`).join('\n')
  writeFileSync(
    web,
    `basic_auth_users:\n${users}\nusers:\n  vera: { role: view }\n  rosa: { role: respond, teams: [quant] }\n` +
      `bearer_tokens:\n  - { name: sender, sha256: ${sha256('sender')}, role: admin }\n`,
  )
  engine = await startEngine({
    config: file,
    args: [`--web.config.file=${web}`, '--web.route-prefix=/tocsin'],
  })
  browser = await launchBrowser()
  const startsAt = new Date().toISOString()
  const alert = (team: string) => ({ labels: { alertname: `Of ${team}`, severity: 'critical', team }, startsAt })
  const answered = await fetch(`${engine.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: 'Bearer sender' },
    body: JSON.stringify([alert('platform'), alert('quant')]),
  })
  expect(answered.status).toBe(200)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await engine?.[Symbol.asyncDispose]()
  await sink[Symbol.asyncDispose]()
  dir[Symbol.dispose]()
})

/** The page as somebody sees it who signs in. */
async function signIn(page: Page, name: string, place = '/'): Promise<void> {
  await page.goto(`${engine.url}/#${place}`)
  await page.getByLabel('User').fill(name)
  await page.getByLabel('Password').fill(`${name}-secret`)
  await page.keyboard.press('Enter')
  await page.getByText('live', { exact: true }).waitFor()
}

async function window() {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  return { page, [Symbol.asyncDispose]: () => context.close() }
}

test('who is not signed in sees a form and nothing else; a wrong password is said to be one', async () => {
  await using opened = await window()
  const { page } = opened
  const answered = await page.goto(`${engine.url}/`)
  expect(answered?.headers()['cache-control']).toBe('no-cache')
  expect(answered?.headers()['content-security-policy']).toContain("default-src 'self'")
  const script = await page.locator('script[src]').getAttribute('src')
  const asset = await fetch(new URL(script ?? '', `${engine.url}/`))
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  await page.getByLabel('User').fill('vera')
  await page.getByLabel('Password').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('the user or the password is wrong').waitFor()
  expect(await seriousFaults(page)).toEqual([])
  expect(await page.getByText('Of platform').count()).toBe(0)
})

test('who may only view is offered nothing that changes anything', async () => {
  await using opened = await window()
  const { page } = opened
  await signIn(page, 'vera')
  await page.getByRole('listitem', { name: 'Incident: Of quant' }).waitFor()
  expect(await page.getByRole('button', { name: /Acknowledge|Silence/ }).count()).toBe(0)
  await page.goto(`${engine.url}/#/silences`)
  await page.getByRole('heading', { name: 'Silences' }).waitFor()
  expect(await page.getByRole('button', { name: 'New silence' }).count()).toBe(0)
  await page.goto(`${engine.url}/#/routing`)
  await page.getByRole('row', { name: /^quant/ }).waitFor()
  expect(await page.getByRole('button', { name: 'Reload the file' }).count()).toBe(0)
  expect(await page.getByRole('link', { name: 'Inbox' }).count()).toBe(0) // there is none outside of the sandbox
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('User').waitFor()
})

test('who belongs to a team sees that team’s, live, and acts in their own name', async () => {
  await using opened = await window()
  const { page } = opened
  await signIn(page, 'rosa')
  const line = page.getByRole('listitem', { name: 'Incident: Of quant' })
  await line.getByRole('button', { name: 'Acknowledge' }).click()
  await line.getByText('rosa has it').waitFor()
  expect(await page.getByText('Of platform').count()).toBe(0)
  const startsAt = new Date().toISOString()
  const post = (team: string) =>
    fetch(`${engine.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer sender' },
      body: JSON.stringify([{ labels: { alertname: `More of ${team}`, severity: 'critical', team }, startsAt }]),
    })
  await post('platform')
  await post('quant')
  await page.getByRole('listitem', { name: 'Alert: More of quant' }).waitFor()
  expect(await page.getByText('More of platform').count()).toBe(0)
})

test('a dead letter says what to do, and is sent again', async () => {
  await using opened = await window()
  const { page } = opened
  await signIn(page, 'root', '/notifications?view=dead')
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

test('a reload that fails shows every mistake with its place, to all who look, until it is mended', async () => {
  await using opened = await window()
  await using watching = await window()
  const { page } = opened
  await signIn(page, 'root', '/routing')
  await signIn(watching.page, 'vera', '/routing')
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
