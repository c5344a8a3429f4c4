// Takes the pictures of docs/: npx tsx script/screenshot.ts [url of an engine in its sandbox that has just started]
import { mkdirSync } from 'node:fs'
import { launchBrowser } from '../test/helpers/browser.ts'

const [url = 'http://127.0.0.1:9093'] = process.argv.slice(2)
const folder = 'docs/pages'
const sizes = [
  { width: 1180, height: 820, shown: 1500 },
  { width: 375, height: 780, shown: 1700 },
]
const BUSY = 30
/** Frames of mails are drawn when they come into sight: only what is in sight is shown of these. */
const firstScreen = new Set(['inbox'])
const pages = {
  now: '/',
  incident: '/incidents/1',
  notifications: '/notifications',
  why: '/why?labels=alertname%3D%22ModelDrift%22%2C+model%3D%22fx-carry-7%22%2C+severity%3D%22critical%22%2C+team%3D%22quant%22',
  silences: '/silences',
  routing: '/routing?labels=severity%3D%22critical%22%2C+team%3D%22quant%22',
  health: '/health',
  inbox: '/inbox',
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
const alert = (minutes: number, labels: Record<string, string>, summary: string, description = '') => ({
  status: 'firing',
  labels,
  annotations: { summary, ...(description && { description, runbook_url: 'https://runbooks.example.com/models' }) },
  startsAt: minutesAgo(minutes),
  generatorURL: 'https://prometheus.example.com/graph',
})
const disks = ['db-1', 'db-2', 'db-7'].map((instance, i) =>
  alert(
    50 - i,
    { alertname: 'DiskSpaceLow', severity: 'warning', team: 'data', instance },
    `Disk of ${instance} fills`,
  ),
)

async function send(path: string, body: unknown): Promise<void> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`)
}
const fire = (...alerts: unknown[]) => send('/webhook', { version: '4', alerts })
const incidents = async () => (await (await fetch(`${url}/api/tocsin/v1/incidents`)).json()) as { title: string }[]
async function untilThereIs(title: string): Promise<void> {
  while (!(await incidents()).some((incident) => incident.title === title))
    await new Promise((again) => setTimeout(again, 100))
}

await fire(
  alert(
    14,
    { alertname: 'ModelDrift', severity: 'critical', team: 'quant', model: 'fx-carry-7' },
    'Model fx-carry-7 drifts',
    'Accuracy fell to 41% over the last hour; its signals are no better than chance.',
  ),
)
await untilThereIs('Model fx-carry-7 drifts')
await send('/api/tocsin/v1/incidents/1/ack', { by: 'alice' })
await send('/api/tocsin/v1/incidents/1/notes', { by: 'alice', text: 'Rolled back to fx-carry-6; retraining.' })
await fire(
  alert(3, { alertname: 'FeedStale', severity: 'critical', team: 'data', feed: 'lse' }, 'Market data feed is stale'),
  ...disks,
  alert(41, { alertname: 'CertificateExpires', severity: 'info', team: 'security' }, 'A certificate ends in 12 days'),
  alert(27, { alertname: 'BackupLate', severity: 'warning', team: 'database', instance: 'pg-2' }, 'The backup is late'),
)
await untilThereIs('Market data feed is stale')
const silence = (minutes: number, createdBy: string, comment: string, ...matchers: [string, string, boolean?][]) =>
  send('/api/v2/silences', {
    matchers: matchers.map(([name, value, isRegex = false]) => ({ name, value, isRegex, isEqual: true })),
    startsAt: minutesAgo(0),
    endsAt: minutesAgo(-minutes),
    createdBy,
    comment,
  })
await silence(
  2880,
  'carol',
  'its hosts move to the new rack',
  ['team', 'infrastructure'],
  ['instance', 'rack-[45]-.*', true],
)
await silence(180, 'bob', 'its new disk is on the way', ['instance', 'db-7'])

mkdirSync(folder, { recursive: true })
const browser = await launchBrowser()
// so that charts have something to show, a point each ten seconds: an API that is slow now and then
const slow = alert(
  0,
  { alertname: 'HighAPILatency', severity: 'warning', team: 'backend', service: 'api' },
  'The API is slow',
)
for (let i = 0; i < BUSY; i++) {
  await fire(...Array.from({ length: 2 + ((i * 7) % 5) }, () => slow), ...disks)
  if (i % 6 === 5) await fire({ ...slow, status: 'resolved', endsAt: minutesAgo(0) })
  await new Promise((done) => setTimeout(done, 5000))
}
for (const { shown, ...viewport } of sizes) {
  for (const scheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport, colorScheme: scheme })
    for (const [name, place] of Object.entries(pages)) {
      await page.goto(`${url}/#${place}`)
      await page.getByText('live', { exact: true }).waitFor()
      await page.locator('main .loading').first().waitFor({ state: 'detached' })
      if (name === 'inbox')
        await page.frameLocator('iframe').first().getByText('Sent by Tocsin').waitFor({ state: 'attached' })
      await page.waitForTimeout(500) // charts are drawn
      const most = firstScreen.has(name) ? viewport.height : shown
      const height = await page.evaluate<number>('document.documentElement.scrollHeight')
      await page.screenshot({
        path: `${folder}/${name}-${scheme}-${viewport.width}.png`,
        fullPage: true,
        clip: { x: 0, y: 0, width: viewport.width, height: Math.max(viewport.height, Math.min(height, most)) },
      })
    }
    await page.goto(`${url}/ack/2`)
    await page.screenshot({ path: `${folder}/ack-${scheme}-${viewport.width}.png` })
    await page.close()
  }
}
await browser.close()
