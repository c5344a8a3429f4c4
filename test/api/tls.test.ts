import { copyFileSync, writeFileSync } from 'node:fs'
import { type RequestOptions, request } from 'node:https'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { as, sha256 } from '../helpers/access.ts'
import { openAuthority } from '../helpers/certificates.ts'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'

const dir = tempDir()
afterAll(() => dir[Symbol.dispose]())
const ours = openAuthority(dir.path, 'ours')
const theirs = openAuthority(dir.path, 'theirs')
const first = ours.sign('first', 'IP:127.0.0.1,DNS:localhost')
ours.sign('second', 'IP:127.0.0.1,DNS:localhost')
const prometheus = ours.sign('prometheus', 'DNS:prometheus.example,URI:spiffe://x/prometheus')
const stranger = ours.sign('stranger', 'DNS:stranger.example')
const forger = theirs.sign('forger', 'DNS:prometheus.example')
const config = `
route: { receiver: nobody }
receivers: [{ name: nobody }]
`

interface Answered {
  status: number
  headers: NodeJS.Dict<string | string[]>
  body: string
  serial: string
  protocol: string
}

/** One request over a connection of its own; rejects where it is not let in. */
function ask(engine: Engine, path: string, options: RequestOptions = {}): Promise<Answered> {
  return new Promise((done, fail) => {
    const asked = request(engine.url + path, { ca: ours.cert, agent: false, ...options }, (answer) => {
      const { socket } = answer
      const tls = 'getPeerCertificate' in socket ? socket : undefined
      const serial = (tls as import('node:tls').TLSSocket | undefined)?.getPeerCertificate().serialNumber ?? ''
      const protocol = (tls as import('node:tls').TLSSocket | undefined)?.getProtocol() ?? ''
      let body = ''
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()))
      answer.on('end', () => done({ status: answer.statusCode ?? 0, headers: answer.headers, body, serial, protocol }))
    })
    asked.on('error', fail)
    asked.end()
  })
}

function web(name: string, text: string): string {
  const file = join(dir.path, name)
  writeFileSync(file, text)
  return `--web.config.file=${file}`
}

test('TLS, with a certificate that is renewed without a restart; a half-written pair changes nothing', async () => {
  const copy = (name: string, end: 'crt' | 'key') =>
    copyFileSync(join(dir.path, `${name}.${end}`), join(dir.path, `server.${end}`))
  copy('first', 'crt')
  copy('first', 'key')
  const args = [
    web('plain.yml', 'tls_server_config: { cert_file: server.crt, key_file: server.key }\n'),
    '--web.allow-anonymous',
  ]
  await using engine = await startEngine({ config, args })
  expect(engine.url).toMatch(/^https:/)
  const before = await ask(engine, '/-/healthy')
  expect(before).toMatchObject({ status: 200, protocol: 'TLSv1.3' })
  expect(before.headers['strict-transport-security']).toBe('max-age=31536000')
  await expect(ask(engine, '/-/healthy', { maxVersion: 'TLSv1.1' })).rejects.toThrow()
  await expect(fetch(engine.url.replace('https', 'http'))).rejects.toThrow()

  copy('second', 'crt')
  await engine.says(/web config file was not loaded/)
  expect((await ask(engine, '/-/healthy')).serial).toBe(before.serial)
  copy('second', 'key')
  await engine.says(/web config file was loaded/)
  expect((await ask(engine, '/-/healthy')).serial).not.toBe(before.serial)
})

test.each([
  ['first', ', cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384], max_version: TLS12', 'TLSv1.2'],
  ['first', ', min_version: TLS13, curve_preferences: [CurveP384]', 'TLSv1.3'],
])('TLS as it is set: %s%s', async (pair, more, protocol) => {
  const args = [web('set.yml', `tls_server_config: { cert_file: ${pair}.crt, key_file: ${pair}.key${more} }\n`)]
  await using engine = await startEngine({ config, args })
  expect(await ask(engine, '/-/healthy')).toMatchObject({ status: 200, protocol })
})

const mtls = 'cert_file: first.crt, key_file: first.key, client_ca_file: ours.crt'

test('only who has a certificate of ours with a name that is allowed is let in, and is known by it', async () => {
  const text = `
tls_server_config: { ${mtls}, client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: ['spiffe://x/prometheus', viewer.example] }
users: { viewer.example: { role: view }, 'spiffe://x/prometheus': { role: admin } }
`
  const viewer = ours.sign('viewer', 'DNS:viewer.example')
  await using engine = await startEngine({ config, args: [web('mtls.yml', text)] })
  await expect(ask(engine, '/-/healthy')).rejects.toThrow()
  await expect(ask(engine, '/-/healthy', { ...forger })).rejects.toThrow()
  await expect(ask(engine, '/-/healthy', { ...stranger })).rejects.toThrow()
  expect(await ask(engine, '/-/reload', { ...prometheus, method: 'POST' })).toMatchObject({ status: 200 })
  const whoAmI = await ask(engine, '/api/tocsin/v1/session', { ...prometheus })
  // its first name has no line, its second has
  expect(JSON.parse(whoAmI.body)).toEqual({
    name: 'spiffe://x/prometheus',
    role: 'admin',
    by: 'certificate',
    sandbox: false,
  })
  expect((await ask(engine, '/metrics', { ...viewer })).status).toBe(200)
  expect((await ask(engine, '/-/reload', { ...viewer, method: 'POST' })).status).toBe(403)

  // another list of names is in force for the next connection
  const other = text.replace('viewer.example]', 'stranger.example]').replace('viewer.example:', 'stranger.example:')
  writeFileSync(join(dir.path, 'mtls.yml'), other)
  await eventually(
    () =>
      ask(engine, '/-/healthy', { ...stranger }).then(
        ({ status }) => status,
        () => 0,
      ),
    (status) => status === 200,
  )
  await expect(ask(engine, '/metrics', { ...viewer })).rejects.toThrow()
})

test.each([
  ['RequestClientCert', { none: 200, ours: 200, theirs: 200 }],
  ['RequireAnyClientCert', { none: 0, ours: 200, theirs: 200 }],
  ['VerifyClientCertIfGiven', { none: 200, ours: 200, theirs: 0 }],
  ['RequireAndVerifyClientCert', { none: 0, ours: 200, theirs: 0 }],
])('%s', async (type, expected) => {
  const args = [web('type.yml', `tls_server_config: { ${mtls}, client_auth_type: ${type} }\n`)]
  await using engine = await startEngine({ config, args })
  const status = (options: RequestOptions) =>
    ask(engine, '/-/healthy', options).then(
      (one) => one.status,
      () => 0,
    )
  expect({ none: await status({}), ours: await status({ ...stranger }), theirs: await status({ ...forger }) }).toEqual(
    expected,
  )
})

test.each([
  ['none where nobody has one', '', { name: 'prometheus.example', role: 'admin' }],
  ['of its second name', 'spiffe://x/prometheus: { role: view }', { name: 'spiffe://x/prometheus', role: 'view' }],
  ['of its common name', 'prometheus: { role: view }', { name: 'prometheus', role: 'view' }],
  [
    'of the first that has one',
    'prometheus: { role: admin }, prometheus.example: { role: ingest }',
    { name: 'prometheus.example', role: 'ingest' },
  ],
  ['of somebody else: then it is not let in', 'grafana.example: { role: view }', undefined],
])('which line of `users` a certificate goes by: %s', async (_name, lines, expected) => {
  const text = `
tls_server_config: { ${mtls}, client_auth_type: RequireAndVerifyClientCert }
users: { ${lines} }
`
  await using engine = await startEngine({ config, args: [web('lines.yml', text)] })
  const answer = await ask(engine, '/api/tocsin/v1/session', { ...prometheus })
  if (expected === undefined) expect(answer.status).toBe(401)
  else expect(JSON.parse(answer.body)).toEqual({ ...expected, by: 'certificate', sandbox: false })
})

test('with users or tokens beside it, a certificate alone is not enough, as with exporter-toolkit', async () => {
  const text = `
tls_server_config: { ${mtls}, client_auth_type: RequireAndVerifyClientCert }
bearer_tokens: [{ name: p, sha256: ${sha256('token-p')}, role: view }]
`
  await using engine = await startEngine({ config, args: [web('both.yml', text)] })
  expect((await ask(engine, '/metrics', { ...prometheus })).status).toBe(401)
  expect((await ask(engine, '/metrics', { ...prometheus, headers: as('p') })).status).toBe(200)
})

test('what changes with a start only is not taken over half', async () => {
  const arg = web('kept.yml', `tls_server_config: { ${mtls}, client_auth_type: RequireAndVerifyClientCert }\n`)
  await using engine = await startEngine({ config, args: [arg] })
  writeFileSync(join(dir.path, 'kept.yml'), 'tls_server_config: { cert_file: first.crt, key_file: first.key }\n')
  const said = await engine.says(/web config file was not loaded/)
  expect(JSON.stringify(said)).toContain('change with the next start only')
  await expect(ask(engine, '/-/healthy')).rejects.toThrow()
  expect(first.cert).toContain('BEGIN CERTIFICATE')
})
