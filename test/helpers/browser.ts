import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type Page, chromium } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { type Engine, type EngineOptions, startEngine, webhookPayload } from './engine.ts'

/** Debian's Chromium, which asks nobody outside for anything. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export interface OpenPage extends AsyncDisposable {
  page: Page
  complaints: string[] // of its console
}

export interface HowToOpen {
  width?: number
  scheme?: 'light' | 'dark'
  timeZone?: string
  as?: string // who signs in, with `<name>-secret`; 'stranger': nobody does, and the form is there
}

/** The page at a place such as `/silences`, live; in a window of its own, as another person's. */
export async function openPage(
  browser: Browser,
  url: string,
  place = '/',
  { width = 1100, scheme = 'light', timeZone, as }: HowToOpen = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: scheme,
    locale: 'en-GB',
    ...(timeZone !== undefined && { timezoneId: timeZone }),
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${url}/#${place}`)
  if (as === 'stranger') await page.getByLabel('User').waitFor()
  else {
    if (as !== undefined) {
      await page.getByLabel('User').fill(as)
      await page.getByLabel('Password').fill(`${as}-secret`)
      await page.keyboard.press('Enter')
    }
    await page.getByText('live', { exact: true }).waitFor()
  }
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}

/** An engine and a browser for all tests of a file, with what these do most. */
export function openTocsin(how: () => EngineOptions) {
  let engine: Engine
  let browser: Browser
  beforeAll(async () => {
    engine = await startEngine(how())
    browser = await launchBrowser()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await engine?.[Symbol.asyncDispose]()
  })
  return {
    get engine() {
      return engine
    },
    get browser() {
      return browser
    },
    open: (place = '/', opening: HowToOpen = {}) => openPage(browser, engine.url, place, opening),
    /** Posts an alert that fires from now on. */
    fire: (labels: Record<string, string>, annotations: Record<string, string> = {}) =>
      engine.post('/webhook', webhookPayload({ labels, annotations, startsAt: new Date().toISOString() })),
  }
}

const shipped = join(import.meta.dirname, '../../routing/tocsin.yml')
/** The sandbox, with the routing files that are shipped. */
export const sandbox = (): EngineOptions => ({ config: shipped, args: ['--sandbox'] })

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

/** What axe-core finds that is serious or worse, a line each. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 200) + ' ' + failureSummary)))`)
}
