import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bcrypt, sha256 } from '../helpers/access.ts'
import { openAuthority } from '../helpers/certificates.ts'
import { eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { startPrometheus } from '../helpers/prometheus.ts'

// Prometheus and amtool with the settings that they have for a secured Alertmanager.

test('a real Prometheus and a real amtool log in over TLS, each with its role', async () => {
  using dir = tempDir()
  const ours = openAuthority(dir.path, 'ours')
  ours.sign('server', 'IP:127.0.0.1')
  const web = join(dir.path, 'web.yml')
  writeFileSync(
    web,
    `
tls_server_config: { cert_file: server.crt, key_file: server.key }
basic_auth_users: { ops: '${bcrypt('s3cret')}' }
users: { ops: { role: respond } }
bearer_tokens: [{ name: prometheus, sha256: ${sha256('t0ken')}, role: ingest }]
`,
  )
  await using engine = await startEngine({
    config: 'route: { receiver: a }\nreceivers: [{ name: a }]\n',
    args: [
      `--web.config.file=${web}`,
      '--web.listen-address=0.0.0.0:0',
      '--web.external-url=https://tocsin.example.com/',
    ],
  })
  const url = engine.url.replace('0.0.0.0', '127.0.0.1')
  const http = join(dir.path, 'amtool-http.yml')
  const authority = `tls_config: { ca_file: ${join(dir.path, 'ours.crt')} }`
  writeFileSync(http, `basic_auth: { username: ops, password: s3cret }\n${authority}\n`)
  const amtool = (...args: string[]) =>
    new Promise<{ ok: boolean; text: string }>((done) => {
      const all = [`--alertmanager.url=${url}`, `--http.config.file=${http}`, '--output=json', ...args]
      execFile('amtool', all, (error, stdout, stderr) => done({ ok: error === null, text: stdout + stderr }))
    })

  const reach = `scheme: https, ${authority}, authorization: { credentials: t0ken }`
  await using prometheus = await startPrometheus(dir.path, url, { reach })
  await prometheus.setFiring(true)
  await eventually(
    () => amtool('alert', 'query'),
    ({ ok, text }) => ok && text.includes('ModelDrift'),
    60_000,
  )
  const made = await amtool('silence', 'add', '--comment=c', 'alertname=ModelDrift')
  expect(made.ok).toBe(true)
  expect((await amtool('silence', 'query')).text).toContain(/[0-9a-f-]{36}/.exec(made.text)?.[0] ?? 'an id')
  writeFileSync(http, `basic_auth: { username: ops, password: wrong }\n${authority}\n`)
  expect(await amtool('alert', 'query')).toMatchObject({ ok: false })
}, 120_000)
