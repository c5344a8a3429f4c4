import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const src = join(import.meta.dirname, '../src')
const core = 'model alert match route group suppress dedup template oncall incident ingest access insight'.split(' ')
const edges = ['config', 'store', 'queue', 'notify', 'record']
const may: Record<string, string[]> = {
  ...Object.fromEntries(core.map((folder, i) => [folder, core.slice(0, i)])),
  ...Object.fromEntries(edges.map((folder) => [folder, core])),
  pipeline: [...core, ...edges],
  view: [...core, ...edges, 'pipeline'],
  api: [...core, ...edges, 'pipeline', 'view'],
  command: [...core, ...edges, 'pipeline', 'view', 'api'],
}
const everything = [...Object.keys(may), 'app.ts', 'serve.ts', 'workers.ts']
const impure =
  /from 'node:|\bDate\.now\b|new Date\(\)|\bMath\.random\b|\bperformance\b|\bprocess\.|\bset(Timeout|Interval|Immediate)\b|\bglobalThis\b/

/** Packages that stay behind one door. */
const doors: Record<string, RegExp> = {
  ioredis: /^store\//,
  bullmq: /^queue\//,
  yaml: /^config\//,
  express: /^api\//,
  bcryptjs: /^api\/bcrypt-worker\.ts$/,
  'prom-client': /^record\//,
  pino: /^record\//,
  axios: /^notify\/webhook\.ts$/,
  '@slack/webhook': /^notify\/slack\.ts$/,
  '@pagerduty/pdjs': /^notify\/pagerduty\.ts$/,
  nodemailer: /^notify\/smtp\.ts$/,
  twilio: /^notify\/twilio\.ts$/,
  commander: /^cli\.ts$/,
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

test('there is something to look at', () => {
  expect(files.length).toBeGreaterThan(40)
})

test.each(files)('%s imports only what its layer may', (file) => {
  const folder = file.split('/')[0] ?? ''
  const allowed = may[folder] ? [folder, ...may[folder]] : everything
  const text = readFileSync(join(src, file), 'utf8')
  for (const [, target = ''] of text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)) {
    const imported = relative(src, join(src, dirname(file), target)).split('/')[0]
    expect(allowed, target).toContain(imported)
  }
  for (const [, name = ''] of text.matchAll(/(?:from|import\() ?'([^.][^']*)'/g)) {
    const door = doors[name]
    if (door) expect(file, `${name} is not for here`).toMatch(door)
  }
  if (core.includes(folder)) expect(text).not.toMatch(impure)
})
