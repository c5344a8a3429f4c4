import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { as, webFile } from '../helpers/access.ts'
import { startEngine, tempDir, webhookPayload, eventually } from '../helpers/engine.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'
import { freePort } from '../helpers/port.ts'
import { openRedis } from '../helpers/redis.ts'
import { roles } from '../../src/access/principal.ts'
import { routesOf } from '../helpers/routes.ts'

// reliability.md P17: secrets in every place that takes one, through the faults of every channel; then all that anybody can
// read is searched for them.

const canary = (place: string) => `s3cret-${place}-canary`
const PLACES = [
  'slack-url',
  'slack-token',
  'pagerduty',
  'smtp',
  'twilio',
  'webhook-path',
  'webhook-user',
  'webhook-login',
  'webhook-bearer',
  'webhook-header',
  'webhook-signing',
  'proxy',
  'proxy-header',
  'oauth',
  'smtp-signing',
  'heartbeat',
  'slack-signing',
  'pagerduty-signing',
  'redis',
  'file',
]
/** As it goes over the wire. */
const loginWith = (place: string) => Buffer.from(`somebody:${canary(place)}`).toString('base64')
const logins = ['webhook-login', 'proxy', 'oauth'].map(loginWith)
const secrets = [...PLACES.map(canary), ...logins]
const variable = (place: string) => place.toUpperCase().replaceAll('-', '_')

test('secrets show nowhere, whatever fails', async () => {
  using dir = tempDir()
  const port = await freePort()
  await using server = await openRedis('--port', String(port))
  await server.redis.config('SET', 'requirepass', canary('redis'))
  let answer: Answer = { status: 500, body: 'oops' }
  await using sink = await openHttpSink(({ headers, path }) => ({
    ...answer,
    // some servers say what they were sent
    body: [answer.body, path, ...[headers.authorization, headers['proxy-authorization']].map(repeated)].join(' '),
  }))
  const file = join(dir.path, 'secret')
  writeFileSync(file, canary('file'))
  const every = (url: string) => `
    slack_configs:
      - { api_url: '${url}/services/\${SLACK_URL}' }
      - { app_token: '\${SLACK_TOKEN}', app_url: '${url}/api/chat.postMessage', channel: C123 }
    pagerduty_configs: [{ routing_key: '\${PAGERDUTY}', url: '${url}/v2/enqueue' }]
    email_configs: [{ to: a@example.com }]
    sms_configs: [{ to: '+61400000000' }]
    # each to a place of its own: those of one wait for each other
    webhook_configs:
      - { url: '${url}/hook/\${WEBHOOK_PATH}', http_config: { basic_auth: { username: u, password: '\${WEBHOOK_USER}' } } }
      - { url: '${url.replace('//', '//somebody:${WEBHOOK_LOGIN}@')}/login' }
      - { url: '${url}/bearer', http_config: { authorization: { credentials: '\${WEBHOOK_BEARER}' } }, signing_secret: '\${WEBHOOK_SIGNING}' }
      - { url: '${url}/header', http_config: { http_headers: { X-Key: { secrets: ['\${WEBHOOK_HEADER}'] } } } }
      - { url_file: '${file}' }
      - { url: '${url}/proxied', http_config: { proxy_url: '${sink.url.replace('//', '//somebody:${PROXY}@')}' } }
      - url: 'https://127.0.0.1:1'
        http_config: { proxy_url: '${sink.url}', proxy_connect_header: { X-Key: ['\${PROXY_HEADER}'] } }
      - url: '${url}/oauth'
        http_config: { oauth2: { client_id: somebody, client_secret: '\${OAUTH}', token_url: '${sink.url}/token' } }`
  const config = `
global:
  smtp_smarthost: '127.0.0.1:${sink.port}'
  smtp_from: tocsin@example.com
  smtp_auth_username: u
  smtp_auth_password: '\${SMTP}'
  smtp_auth_secret: '\${SMTP_SIGNING}'
  smtp_require_tls: false
  twilio_account_sid: AC123
  twilio_auth_token: '\${TWILIO}'
  twilio_from: '+15005550006'
  twilio_api_url: ${sink.url}
route: { receiver: ops, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s }
receivers:
  - name: ops
    fallback: nobody
${every(sink.url)}
  - name: nobody
${every('https://127.0.0.1:1')}
heartbeat: { url: '${sink.url}/beat/\${HEARTBEAT}', interval: 1s }
callbacks:
  slack: { signing_secret: '\${SLACK_SIGNING}' }
  pagerduty: { secrets: ['\${PAGERDUTY_SIGNING}'] }
  twilio: { url: 'https://tocsin.example.com' }
`
  const web = webFile(dir.path, roles)
  const env = Object.fromEntries(PLACES.map((place) => [variable(place), canary(place)]))
  await using engine = await startEngine({
    config,
    redis: `redis://:${canary('redis')}@127.0.0.1:${port}`,
    dir: dir.path,
    env,
    args: [`--web.config.file=${web}`, '--log.level=debug'],
  })
  const read: string[] = []
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(engine.url + path, { ...init, headers: { ...as('admin'), ...init.headers } })
    read.push(`${path} ${response.status} ${[...response.headers].join()} ${await response.text()}`)
  }
  const post = (alertname: string) =>
    fetch(`${engine.url}/webhook`, {
      method: 'POST',
      headers: { ...as('admin'), 'Content-Type': 'application/json' },
      body: JSON.stringify(
        webhookPayload({ labels: { alertname, severity: 'critical' }, startsAt: new Date().toISOString() }),
      ),
    })
  const faults: Answer[] = [
    { status: 500, body: 'oops' },
    { status: 429, headers: { 'Retry-After': '1' } },
    { status: 302, headers: { Location: `${sink.url}/elsewhere` } },
    { fault: 'reset' },
    { status: 401 },
    { status: 200, body: 'no word of ours' },
  ]
  for (const [i, fault] of faults.entries()) {
    answer = fault
    const before = sink.requests.length
    expect((await post(`Fault${i}`)).status).toBe(200)
    await eventually(
      async () => sink.requests.length,
      (count) => count >= before + 3,
    )
  }
  await eventually(
    () => engine.says(/in the dead letter/),
    () => true,
  )
  // a bad reload quotes what is wrong, and not what is secret
  writeFileSync(join(dir.path, 'tocsin.yml'), `${config}\nslack_api_url: '\${SLACK_URL}'\n`)
  await ask('/-/reload', { method: 'POST' })
  writeFileSync(join(dir.path, 'tocsin.yml'), config.replace('group_wait: 0s', `group_wait: \${TWILIO}`))
  await ask('/-/reload', { method: 'POST' })

  for (const route of routesOf(false)) {
    const [method, path = ''] = route.split(' ')
    if (method === 'GET' && !path.includes(':') && !path.endsWith('/events') && !path.endsWith('*')) await ask(path)
  }
  expect(read.length).toBeGreaterThan(10)

  // they were in use all the while
  const seen = sink.requests.map(({ path, headers, body }) => `${path} ${JSON.stringify(headers)} ${body}`).join()
  for (const place of ['slack-url', 'slack-token', 'pagerduty', 'webhook-path', 'webhook-bearer', 'webhook-header'])
    expect(seen, place).toContain(canary(place))
  for (const login of logins) expect(seen).toContain(login)

  const kept: string[] = []
  for (const key of await server.redis.keys('*')) kept.push(`${key} ${await everythingAt(server.redis, key)}`)
  expect(kept.length).toBeGreaterThan(20)
  const everywhere = { read, kept, log: engine.log.map((line) => JSON.stringify(line)) }
  for (const [where, texts] of Object.entries(everywhere)) {
    for (const secret of secrets) {
      const shown = texts.filter((text) => text.includes(secret))
      expect(
        shown.map((text) => text.slice(0, 300)),
        `${secret} in ${where}`,
      ).toEqual([])
    }
  }
}, 180_000)

/** A header as it is, and what a server makes of a Basic one: user and password. */
function repeated(authorization = ''): string {
  return `${authorization} ${Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()}`
}

type Redis = Awaited<ReturnType<typeof openRedis>>['redis']

/** All that a key holds, as text. */
async function everythingAt(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key)
  if (type === 'string') return String(await redis.get(key))
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key))
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1))
  if (type === 'set') return JSON.stringify(await redis.smembers(key))
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, 0, '-1', 'WITHSCORES'))
  if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'))
  return '' // it went while the others were read
}
