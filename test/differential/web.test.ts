import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/error.ts'
import { loadWebConfig } from '../../src/config/web/load.ts'
import { bcrypt } from '../helpers/access.ts'
import { openAuthority } from '../helpers/certificates.ts'
import { tempDir } from '../helpers/engine.ts'
import { alertmanagerBinary } from '../helpers/prometheus.ts'

// What a real Alertmanager starts with, Tocsin starts with; what it refuses, Tocsin refuses.

const dir = tempDir()
afterAll(() => dir[Symbol.dispose]())
const ours = openAuthority(dir.path, 'ours')
ours.sign('a', 'DNS:a')
ours.sign('b', 'DNS:b')
writeFileSync(join(dir.path, 'junk'), 'junk')
writeFileSync(join(dir.path, 'am.yml'), 'route: { receiver: a }\nreceivers: [{ name: a }]\n')
mkdirSync(join(dir.path, 'data'))

const tls = (more = '', pair = 'cert_file: a.crt, key_file: a.key') => `tls_server_config: { ${pair}${more} }\n`
const verified = ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: ours.crt'

/** Whether it gets as far as to listen. */
async function alertmanagerStarts(file: string): Promise<boolean> {
  const args = [
    `--config.file=${join(dir.path, 'am.yml')}`,
    `--storage.path=${join(dir.path, 'data')}`,
    '--cluster.listen-address=',
  ]
  const child = spawn(alertmanagerBinary, [...args, '--web.listen-address=127.0.0.1:0', `--web.config.file=${file}`])
  let text = ''
  const ended = once(child, 'exit').then(() => false)
  const listens = new Promise<boolean>((done) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on(
        'data',
        (chunk: Buffer) => (text += chunk.toString()) && /TLS is (?:en|dis)abled/.test(text) && done(true),
      )
  })
  // it says so, and may end a moment later all the same
  const starts = await Promise.race([
    ended,
    listens.then((is) => new Promise<boolean>((done) => setTimeout(done, 300, is))),
  ])
  child.kill('SIGKILL')
  await ended
  return starts && child.exitCode === null
}

function tocsinStarts(file: string): boolean {
  try {
    loadWebConfig(file, { env: {}, sandbox: false })
    return true
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return false
  }
}

test.each([
  ['nothing', ''],
  ['users', `basic_auth_users: { bob: '${bcrypt('x')}' }\n`],
  ['users without a hash', 'basic_auth_users: { bob: x }\n'],
  ['a hash that is cut', `basic_auth_users: { bob: '${bcrypt('x').slice(0, 50)}' }\n`],
  ['an unknown key', 'basic_auth: {}\n'],
  ['no map', '[a]\n'],
  ['no YAML', 'a: [\n'],
  ['a key twice', 'basic_auth_users: {}\nbasic_auth_users: {}\n'],
  ['TLS', tls()],
  ['an empty block', 'tls_server_config: {}\n'],
  ['TLS without a key', 'tls_server_config: { cert_file: a.crt }\n'],
  ['TLS without a certificate', 'tls_server_config: { key_file: a.key }\n'],
  ['another’s key', tls('', 'cert_file: a.crt, key_file: b.key')],
  ['no certificate', tls('', 'cert_file: junk, key_file: a.key')],
  ['no such file', tls('', 'cert_file: none, key_file: a.key')],
  ['versions', tls(', min_version: TLS10, max_version: TLS13')],
  ['an unknown version', tls(', min_version: SSL3')],
  // without the first, Go's HTTP/2 would not start; Tocsin has none and would
  ['suites', tls(', cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384]')],
  ['an unsafe suite', tls(', cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]')],
  ['curves', tls(', curve_preferences: [CurveP521, X25519]')],
  ['an unknown curve', tls(', curve_preferences: [P256]')],
  ['client certificates', tls(verified)],
  ['an unknown policy', tls(', client_auth_type: Required')],
  ['a CA without a policy', tls(', client_ca_file: ours.crt')],
  ['a CA that is missing', tls(', client_auth_type: RequireAndVerifyClientCert, client_ca_file: none')],
  ['http2 off', `${tls()}http_server_config: { http2: false }\n`],
  [
    'headers',
    'http_server_config: { headers: { X-Frame-Options: sameorigin, Strict-Transport-Security: max-age=1 } }\n',
  ],
  ['another header', 'http_server_config: { headers: { Server: x } }\n'],
  ['a header’s unknown value', 'http_server_config: { headers: { X-Content-Type-Options: sniff } }\n'],
])('%s', async (name, text) => {
  const file = join(dir.path, 'web.yml')
  writeFileSync(file, text)
  expect(tocsinStarts(file), name).toBe(await alertmanagerStarts(file))
})
