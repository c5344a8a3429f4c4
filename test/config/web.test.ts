import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../src/config/error.ts'
import { authenticates, loadWebConfig } from '../../src/config/web/load.ts'
import { openWebConfig } from '../../src/config/web/watch.ts'
import { bcrypt, sha256 } from '../helpers/access.ts'

const dir = mkdtempSync(join(tmpdir(), 'tocsin-web-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const file = join(dir, 'web.yml')

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
for (const name of ['a', 'b'])
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
  )
writeFileSync(join(dir, 'junk'), 'junk')

function load(text: string) {
  writeFileSync(file, text)
  return loadWebConfig(file, { env: {}, sandbox: false })
}

function problemsOf(text: string): string[] {
  try {
    load(text)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
  }
}

const verified = ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: b.crt'
const tls = (more: string, pair = 'cert_file: a.crt, key_file: a.key') => `tls_server_config: { ${pair}${more} }\n`

describe('taken, as Alertmanager takes it', () => {
  test.each([
    ['an empty file', ''],
    ['users', `basic_auth_users:\n  bob: '${bcrypt('x')}'\n  eve: ${bcrypt('x').replace('$2b$', '$2y$')}\n`],
    ['no users', 'basic_auth_users: {}\n'],
    ['TLS', tls('')],
    ['TLS without a word', 'tls_server_config: {}\n'],
    ['TLS of a certain kind', tls(', min_version: TLS13, max_version: TLS13, prefer_server_cipher_suites: false')],
    ['cipher suites', tls(', cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]')],
    ['curves', tls(', curve_preferences: [X25519, CurveP256]')],
    ['client certificates', tls(', client_auth_type: RequireAndVerifyClientCert, client_ca_file: b.crt')],
    [
      'their names',
      tls(', client_auth_type: RequireAndVerifyClientCert, client_ca_file: b.crt, client_allowed_sans: [x]'),
    ],
    ['an old name', tls(', client_auth_type: RequireClientCert')],
    [
      'headers',
      'http_server_config: { http2: true, headers: { X-Frame-Options: deny, Content-Security-Policy: "default-src *" } }\n',
    ],
    ['a limit', 'rate_limit: { interval: 10ms, burst: 20 }\n'],
  ])('%s', (_name, text) => {
    expect(problemsOf(text)).toEqual([])
  })
})

describe('what is wrong is told with its place', () => {
  const hash = sha256('x')
  test.each([
    [
      'a password that is none',
      'basic_auth_users:\n  bob: plain\n',
      ['2:8 basic_auth_users.bob: is no bcrypt hash; make one with htpasswd -nBC 10 "" | tr -d \':\\n\''],
    ],
    [
      'an unknown key',
      'basic_auth_user: {}\n',
      ['1:1 basic_auth_user: unknown key "basic_auth_user"; did you mean "basic_auth_users"?'],
    ],
    [
      'half a pair',
      'tls_server_config:\n  cert_file: a.crt\n',
      ['1:1 tls_server_config.key_file: is required; set key or key_file'],
    ],
    [
      'a file that is missing',
      tls('', 'cert_file: none.crt, key_file: a.key'),
      [`1:33 tls_server_config.cert_file: ${dir}/none.crt cannot be read (ENOENT)`],
    ],
    [
      'another’s key',
      tls('', 'cert_file: a.crt, key_file: b.key'),
      ['1:33 tls_server_config.cert_file: certificate, key and settings do not make a TLS server: key values mismatch'],
    ],
    [
      'no certificate',
      tls('', 'cert_file: junk, key_file: a.key'),
      [expect.stringMatching(/^1:33 tls_server_config\.cert_file: .*no start line/)],
    ],
    [
      'an unknown version',
      tls(', min_version: TLS14'),
      ['1:70 tls_server_config.min_version: "TLS14" is none of TLS13, TLS12, TLS11, TLS10'],
    ],
    [
      'an unknown suite',
      tls(', cipher_suites: [RC4]'),
      [expect.stringMatching(/^1:73 tls_server_config\.cipher_suites\.0: "RC4" is none of TLS_AES/)],
    ],
    [
      'an unknown policy',
      tls(', client_auth_type: Maybe'),
      [expect.stringMatching(/client_auth_type: "Maybe" is none of NoClientCert/)],
    ],
    [
      'a CA for nothing',
      tls(', client_ca_file: b.crt'),
      [expect.stringMatching(/client_auth_type: a client CA is of no use without it/)],
    ],
    [
      'no CA',
      tls(', client_auth_type: RequireAndVerifyClientCert'),
      [expect.stringMatching(/client_ca_file: is required by client_auth_type RequireAndVerifyClientCert/)],
    ],
    [
      'names of nobody',
      tls(', client_auth_type: RequestClientCert, client_allowed_sans: [x]'),
      [expect.stringMatching(/client_allowed_sans: needs client_auth_type RequireAnyClientCert/)],
    ],
    [
      'a header of ours',
      'http_server_config: { headers: { Server: x } }\n',
      [expect.stringMatching(/^1:\d+ http_server_config\.headers\.Server: this header cannot be set/)],
    ],
    [
      'a header’s value',
      'http_server_config: { headers: { X-Frame-Options: allow } }\n',
      [expect.stringMatching(/X-Frame-Options: must be one of deny, sameorigin/)],
    ],
    [
      'a header of two lines',
      'http_server_config: { headers: { X-XSS-Protection: "0\\r\\nSet-Cookie: a=b" } }\n',
      [expect.stringMatching(/X-XSS-Protection: must be plain ASCII on one line/)],
    ],
    [
      'an unknown role',
      `bearer_tokens: [{ name: a, sha256: ${hash}, role: root }]\n`,
      [expect.stringMatching(/role: "root" is none of ingest, view, respond, admin/)],
    ],
    [
      'a token instead of its hash',
      'bearer_tokens: [{ name: a, sha256: s3cret, role: view }]\n',
      [expect.stringMatching(/sha256: must be 64 hex digits: printf/)],
    ],
    [
      'a token twice',
      `bearer_tokens: [{ name: a, sha256: ${hash}, role: view }, { name: b, sha256: ${hash}, role: view }]\n`,
      [expect.stringMatching(/bearer_tokens\.1: the name or hash of "a" again/)],
    ],
    [
      'a role of nobody',
      'users: { bob: { role: view } }\n',
      [expect.stringMatching(/users\.bob: there is no user "bob" in basic_auth_users/)],
    ],
    [
      'a role of nobody, beside certificates that do not let in by themselves',
      tls(`${verified}}
basic_auth_users: { bob: '${bcrypt('x')}' }
users: { bbo: { role: view } `),
      [expect.stringMatching(/users\.bbo: there is no user "bbo" in basic_auth_users; did you mean "bob"/)],
    ],
    [
      'a role of no certificate that is let in',
      tls(`${verified}, client_allowed_sans: [prometheus.example]}
users: { promteheus.example: { role: view } `),
      [
        expect.stringMatching(
          /users\.promteheus\.example: there is no name "promteheus\.example" in client_allowed_sans; did you mean "prometheus\.example"/,
        ),
      ],
    ],
    [
      'teams left empty',
      `bearer_tokens:\n  - name: a\n    sha256: ${hash}\n    role: view\n    teams:\n`,
      [expect.stringMatching(/teams: is empty; leave it out for all teams/)],
    ],
    [
      'teams of a user left empty',
      `basic_auth_users: { bob: '${bcrypt('x')}' }\nusers: { bob: { role: view, teams: null } }\n`,
      [expect.stringMatching(/teams: is empty; leave it out for all teams/)],
    ],
    [
      'no teams',
      `bearer_tokens: [{ name: a, sha256: ${hash}, role: view, teams: [] }]\n`,
      [expect.stringMatching(/teams: is empty; leave it out for all teams/)],
    ],
    [
      'a limit that lets nothing through',
      'rate_limit: { interval: 1s }\n',
      [expect.stringMatching(/rate_limit\.burst: must be 1 at least/)],
    ],
    [
      'an origin with a path',
      'allowed_origins: ["https://x.example/karma"]\n',
      [expect.stringMatching(/allowed_origins\.0: ".*" is no origin/)],
    ],
    ['a list', '- a\n', [expect.stringMatching(/^1:1 : the file must hold a map/)]],
    ['no YAML', 'a: [\n', [expect.stringMatching(/^\d+:\d+ /)]],
    ['deep nesting', `a: ${'['.repeat(20_000)}\n`, [expect.stringMatching(/nests deeper than 100 levels/)]],
  ])('%s', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems)
  })

  test('and never with the secret in it', () => {
    const text = problemsOf(
      'basic_auth_users: { bob: hunter2 }\nbearer_tokens: [{ name: a, sha256: hunter2, role: view }]\n',
    ).join()
    expect(text).not.toContain('hunter2')
  })
})

test('who is let in only after saying who they are', () => {
  const texts = [
    '',
    tls(''),
    tls(', client_auth_type: RequireAnyClientCert'),
    tls(verified),
    `basic_auth_users: { bob: '${bcrypt('x')}' }\n`,
  ]
  expect(texts.map((text) => authenticates(load(text)))).toEqual([false, false, false, true, true])
})

test('a name has the role that is granted to it, else all, as in Alertmanager', () => {
  const { grant } = load(
    `basic_auth_users: { bob: '${bcrypt('x')}', eve: '${bcrypt('x')}' }\nusers: { eve: { role: view, teams: [a] } }\n`,
  )
  expect([grant('bob'), grant('eve')]).toEqual([
    { role: 'admin', teams: undefined },
    { role: 'view', teams: ['a'] },
  ])
})

describe('a file that changes', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())

  const bob = `basic_auth_users: { bob: '${bcrypt('x')}' }\n`
  const whole = `${bob}users: { bob: { role: view } }\n`

  /** Looks at it once more; what happened then. */
  function watching() {
    writeFileSync(file, whole)
    const told: string[] = []
    const web = openWebConfig(file, { env: {}, sandbox: false })
    web.watch({ changed: () => told.push('changed'), failed: (error) => told.push(String(error)) })
    const look = () => {
      vi.advanceTimersByTime(1000)
      return told.splice(0)
    }
    return { ...web, look }
  }

  test('is taken once it is seen twice as it is: what is half written makes nobody an admin', () => {
    const web = watching()
    expect(web.look()).toEqual([])
    writeFileSync(file, bob) // the rest is yet to come
    expect(web.look()).toEqual([])
    writeFileSync(file, whole.replace('view', 'respond'))
    expect(web.look()).toEqual([])
    expect(web.current().grant('bob').role).toBe('view')
    expect(web.look()).toEqual(['changed'])
    expect(web.current().grant('bob').role).toBe('respond')
    expect(web.look()).toEqual([])
    web.stop()
  })

  test('may be gone, or be something that cannot be looked at: that is told, and the old one stays', () => {
    const web = watching()
    rmSync(file)
    symlinkSync(file, file) // ELOOP
    expect([web.look(), web.look(), web.look()]).toEqual([[], [expect.stringContaining('web.yml')], []])
    expect(web.current().grant('bob').role).toBe('view')
    rmSync(file)
    writeFileSync(file, whole)
    expect([web.look(), web.look(), web.look()]).toEqual([[], ['changed'], []])
    web.stop()
  })
})
