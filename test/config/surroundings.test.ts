import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'
import { openHttpProxy } from '../helpers/http-proxy.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { notificationOf } from '../helpers/notification.ts'
import { certificate } from '../helpers/rude-server.ts'

const dir = mkdtempSync(join(tmpdir(), 'tocsin-surroundings-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What became of a message to each integration of a file. */
async function tellAll(text: string, env: Record<string, string> = {}): Promise<string[]> {
  const file = join(dir, 'tocsin.yml')
  writeFileSync(file, text)
  const config = loadConfig(file, { env, sandbox: false, channels })
  const told = []
  for (const integration of config.integrations.values()) {
    const notifier = integration.open()
    const outcome = await notifier
      .send(notifier.compose(notificationOf()), AbortSignal.timeout(20_000))
      .catch((error: Error) => ({ state: error.message }))
    told.push(`${integration.receiver}: ${outcome.state}`)
    notifier.close?.()
  }
  return told
}

test('files of an http_config are beside the file that it stands in', async () => {
  const { ca, ...pair } = certificate('good')
  await using sink = await openHttpSink({}, pair)
  mkdirSync(join(dir, 'teams'))
  copyFileSync(ca, join(dir, 'of-all.pem'))
  copyFileSync(ca, join(dir, 'teams', 'of-a-team.pem'))
  const own = '{ tls_config: { ca_file: of-a-team.pem } }'
  writeFileSync(
    join(dir, 'teams', 'a.yml'),
    `receivers:
- { name: own, webhook_configs: [{ url: '${sink.url}', http_config: ${own} }] }
- { name: global, webhook_configs: [{ url: '${sink.url}' }] }
`,
  )
  const told = await tellAll(`include: [teams/*.yml]
global: { http_config: { tls_config: { ca_file: of-all.pem } } }
route: { receiver: main }
receivers:
- { name: main, webhook_configs: [{ url: '${sink.url}' }] }
- { name: astray, webhook_configs: [{ url: '${sink.url}', http_config: ${own} }] }
`)
  expect(told.toSorted()).toEqual([
    'astray: tls_config.ca_file: cannot read of-a-team.pem: ENOENT',
    'global: delivered',
    'main: delivered',
    'own: delivered',
  ])
})

test('proxy_from_environment is that which the engine was started in', async () => {
  await using sink = await openHttpSink()
  await using proxy = await openHttpProxy({ to: '127.0.0.1' })
  const url = `http://a.example:${sink.port}`
  const text = `route: { receiver: r }
receivers: [{ name: r, webhook_configs: [{ url: '${url}', http_config: { proxy_from_environment: true } }] }]
`
  expect(await tellAll(text, { HTTP_PROXY: proxy.url })).toEqual(['r: delivered'])
  expect(proxy.asked).toMatchObject([{ target: `${url}/` }])
})
