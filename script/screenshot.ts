// Takes the README's picture: npx tsx script/screenshot.ts [url of the inbox] [file] [width] [dark]
import { chromium } from 'playwright-core'

const [url = 'http://127.0.0.1:9093/inbox', file = 'docs/inbox.png', width = '1180', scheme = 'light'] =
  process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
})
const page = await browser.newPage({
  viewport: { width: Number(width), height: 900 },
  colorScheme: scheme === 'dark' ? 'dark' : 'light',
})
await page.goto(url)
await page.waitForSelector('.message')
await page.screenshot({ path: file })
await browser.close()
