import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { email } from '../../src/notify/email.ts'
import { type Outcome, retries } from '../../src/notify/notifier.ts'
import type { Mail } from '../../src/notify/smtp.ts'
import { alertOf } from '../helpers/alerts.ts'
import { diskFull, notificationOf } from '../helpers/notification.ts'
import { certificate, openBlackhole, openMuteTls } from '../helpers/rude-server.ts'
import { DROP, SILENCE, type Script, openScriptedSmtp } from '../helpers/smtp-script.ts'
import { openSmtpSink } from '../helpers/smtp-sink.ts'
import { attempt, open } from './contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'tocsin-smtp-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const settings = (smarthost: string, rest = {}) => ({
  ...email.fromTeam('first@example.com, second@example.com')[0],
  from: 'Tocsin <tocsin@example.com>',
  smarthost,
  require_tls: false,
  ...rest,
})

const all = (reply: string): Script => ({ RCPT: () => reply })
const login = { auth_username: 'user', auth_password: 's3cret' }
const later = { state: 'failed', reason: 'server error' }
const never = { state: 'failed', reason: 'rejected' }
const unknown = { state: 'unknown' }
const network = { state: 'failed', reason: 'network' }

test.each<[string, Script, object, object?]>([
  // what                              server                                           outcome
  ['421 at once', { greeting: '421 busy' }, later],
  ['554 at once', { greeting: '554 no service' }, never],
  ['421 to EHLO', { EHLO: '421 closing' }, later],
  ['421 to MAIL', { MAIL: '421 busy' }, later],
  ['450 to MAIL', { MAIL: '450 later' }, later],
  ['550 to MAIL', { MAIL: '550 not you' }, never],
  ['450 to all recipients', all('450 mailbox busy'), later],
  ['451 to all recipients', all('451 greylisted'), later],
  ['452 to all recipients', all('452 full'), later],
  ['550 to all recipients', all('550 no such user'), never],
  ['551 to all recipients', all('551 not here'), never],
  ['552 to all recipients', all('552 full'), never],
  ['553 to all recipients', all('553 no such name'), never],
  ['554 to all recipients', all('554 no'), never],
  ['450 to one, 550 to the other', { RCPT: (to) => (to.startsWith('first') ? '450 later' : '550 no') }, later],
  ['550 to one, 451 to the other', { RCPT: (to) => (to.startsWith('first') ? '550 no' : '451 later') }, later],
  ['421 to DATA', { DATA: '421 busy' }, later],
  ['554 to DATA', { DATA: '554 no' }, never],
  ['451 to the mail', { content: '451 later' }, later],
  ['552 to the mail', { content: '552 too large' }, never],
  ['554 to the mail', { content: '554 spam' }, never],
  ['a 4yz that nobody knows', { content: '499 hm' }, later],
  ['a 5yz that nobody knows', { content: '599 hm' }, never],
  [
    "SES' rate",
    { content: '454 Throttling failure: Maximum sending rate exceeded.' },
    { reason: 'rate limited', retryAfter: 60_000 },
  ],
  [
    "SES' quota",
    { MAIL: '454 Throttling failure: Daily message quota exceeded.' },
    { reason: 'rate limited', retryAfter: 600_000 },
  ],
  ["SES' other throttling", all('454 Throttling failure: slow down'), { reason: 'rate limited', retryAfter: 300_000 }],
  ['another 454', { content: '454 later' }, later],
  ['a bad login', { AUTH: '535 no' }, { reason: 'unauthorised' }, login],
  ['a login that is refused for now', { AUTH: '454 4.7.0 Temporary authentication failure' }, later, login],
  ['a login that is asked for', { MAIL: '530 log in first' }, { reason: 'unauthorised' }],
  ['no STARTTLS', {}, { reason: 'configuration' }, { require_tls: true }],
  ['no greeting', { greeting: DROP }, network],
  ['a connection that ends at MAIL', { MAIL: DROP }, network],
  ['a connection that ends at RCPT', all(DROP), network],
  ['a connection that ends at DATA', { DATA: DROP }, network],
  ['a connection that ends behind the mail', { content: DROP }, unknown],
  ['nonsense for an answer', { MAIL: 'what?' }, { state: 'failed' }],
])('%s', async (_name, script, outcome, rest = {}) => {
  await using server = await openScriptedSmtp(script)
  const result = await attempt(open(email, settings(server.smarthost, rest)))
  expect(result).toMatchObject(outcome)
  expect(server.commands.filter((word) => word === '(content)').length).toBe('content' in script ? 1 : 0)
  expect(isFinal(result)).toBe(
    'reason' in outcome && (outcome.reason === 'rejected' || outcome.reason === 'unauthorised'),
  )
})

function isFinal(outcome: Outcome): boolean {
  return outcome.state === 'failed' && !retries[outcome.reason]
}

test.each([
  ['greeting', { state: 'failed', reason: 'timeout' }],
  ['MAIL', { state: 'failed', reason: 'timeout' }],
  ['DATA', { state: 'failed', reason: 'timeout' }],
  ['content', unknown],
])('silence at %s ends with the deadline', async (at, outcome) => {
  await using server = await openScriptedSmtp({ [at]: SILENCE })
  const deadline = new AbortController()
  void server.silent.then(() => deadline.abort())
  expect(await attempt(open(email, settings(server.smarthost)), deadline.signal)).toMatchObject(outcome)
})

test('a recipient who is refused does not keep the mail from the other', async () => {
  await using server = await openScriptedSmtp({
    RCPT: (to) => (to.startsWith('first') ? '550 no such user' : '250 ok'),
  })
  expect(await attempt(open(email, settings(server.smarthost)))).toEqual({
    state: 'delivered',
    detail: '1 of 2 recipients were refused: SMTP 550',
  })
})

test.each(['expired', 'wrong-host', 'self-signed'] as const)(
  'a certificate that is %s is not trusted',
  async (kind) => {
    const { ca, ...tls } = certificate(kind)
    await using server = await openScriptedSmtp({}, tls)
    // by an authority that is trusted, or it would be refused for that
    const trusting = kind === 'self-signed' ? {} : { tls_config: { ca_file: ca } }
    const outcome = await attempt(open(email, settings(server.smarthost, { require_tls: true, ...trusting })))
    expect(outcome).toMatchObject({ state: 'failed', reason: 'configuration' })
    expect(server.commands).toEqual(['EHLO', 'STARTTLS'])
  },
)

test('a certificate by an authority that the file names is', async () => {
  const { ca, ...tls } = certificate('good')
  await using server = await openScriptedSmtp({}, tls)
  const notifier = open(email, settings(server.smarthost, { require_tls: true, tls_config: { ca_file: ca }, ...login }))
  expect(await attempt(notifier)).toEqual({ state: 'delivered' })
  expect(server.commands).toEqual(['EHLO', 'STARTTLS', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'RCPT', 'DATA', '(content)'])
})

test.each(['good', 'wrong-host'] as const)('TLS from the first byte, with a certificate that is %s', async (kind) => {
  const { ca, ...tls } = certificate(kind)
  await using server = await openScriptedSmtp({}, tls, true)
  const secure = { force_implicit_tls: true, tls_config: { ca_file: ca }, ...login }
  const outcome = await attempt(open(email, settings(server.smarthost, secure)))
  expect(outcome).toMatchObject(kind === 'good' ? { state: 'delivered' } : { state: 'failed', reason: 'configuration' })
  expect(server.commands.includes('AUTH')).toBe(kind === 'good')
})

test('a handshake without end, and a connection that does not come about: nothing was sent', async () => {
  await using mute = await openMuteTls()
  await using hole = await openBlackhole()
  for (const { port, rest } of [
    { port: mute.port, rest: { force_implicit_tls: true } },
    { port: hole.port, rest: {} },
  ]) {
    const outcome = await attempt(open(email, settings(`127.0.0.1:${port}`, rest)), AbortSignal.timeout(300))
    expect(outcome).toMatchObject({ state: 'failed', reason: 'timeout' })
  }
})

test.each([
  ['169.254.169.254', true],
  ['[fd00:ec2::254]', true],
  ['0.0.0.0', true],
  ['127.0.0.1', false],
  ['localhost', false],
])('%s is nothing to connect to', async (host, allowPrivate) => {
  const notifier = open(email, settings(`${host}:25`), { egress: { allowPrivate } })
  expect(await attempt(notifier)).toMatchObject({
    state: 'failed',
    reason: 'configuration',
    detail: expect.stringContaining('nothing was sent'),
  })
})

test('mails go over one connection', async () => {
  await using server = await openScriptedSmtp()
  const notifier = open(email, settings(server.smarthost))
  for (let i = 0; i < 3; i++)
    expect(await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))).toEqual({
      state: 'delivered',
    })
  notifier.close?.()
  expect(server.commands.filter((word) => word === 'EHLO')).toHaveLength(1)
})

test('a mail is known by its Message-ID on every attempt, whoever makes it, and stands in the thread of its group', async () => {
  await using sink = await openSmtpSink()
  const notifier = open(email, settings(sink.smarthost))
  for (const rest of [{ attempt: 1 }, { attempt: 2, possibleRepeat: true }, { id: 'other', insteadOf: 'database' }])
    await notifier.send(notifier.compose(notificationOf([diskFull], rest)), AbortSignal.timeout(10_000))
  notifier.close?.()
  const [first, second, third] = sink.mails
  expect(first?.mail.messageId).toBe(`<${notificationOf().id}@example.com>`)
  expect(second?.mail.messageId).toBe(first?.mail.messageId)
  expect(second?.mail.subject).toMatch(/^\(possible repeat\) /)
  expect(third?.mail.subject).toBe(`(instead of database) ${first?.mail.subject}`)
  expect(third?.mail.messageId).not.toBe(first?.mail.messageId)
  expect(new Set(sink.mails.map(({ mail }) => mail.references)).size).toBe(1)
  expect(first?.mail.headers.get('auto-submitted')).toBe('auto-generated')
})

test.each([
  ['long', 'x'.repeat(1_000_000)],
  ['of emoji', '👨‍👩‍👧‍👦'.repeat(50_000)],
  ['in other letters', 'журнал '.repeat(50_000)],
  ['with new lines', 'a\r\nBcc: evil@y.example\r\n'.repeat(100)],
])('no line of a mail is too long where a label is %s', async (_name, summary) => {
  await using sink = await openSmtpSink()
  const alert = alertOf({ alertname: 'A' }, { annotations: new Map([['summary', summary]]) })
  const notifier = open(
    email,
    settings(sink.smarthost, {
      headers: { Subject: '{{ .CommonAnnotations.summary }}', 'X-Note': '{{ .CommonAnnotations.summary }}' },
    }),
  )
  expect(await notifier.send(notifier.compose(notificationOf([alert])), AbortSignal.timeout(20_000))).toEqual({
    state: 'delivered',
  })
  notifier.close?.()
  const [mail] = sink.mails
  expect(Math.max(...(mail?.raw.split('\r\n') ?? []).map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(998)
  expect(mail?.mail.headers.has('bcc')).toBe(false)
  expect(mail?.mail.subject).not.toMatch(/\ufffd|\p{Surrogate}/u)
  expect(mail?.to).toEqual(['first@example.com', 'second@example.com'])
})

test('a formatted part that is too long gives way to words', async () => {
  const alert = alertOf({ alertname: 'A' }, { annotations: new Map([['description', 'x'.repeat(900_000)]]) })
  const html = '{{ range .Alerts }}<p>{{ .Annotations.description }}{{ .Annotations.description }}{{ end }}'
  const many = Array.from({ length: 3 }, (_, n) => ({
    ...alert,
    labels: new Map([['n', String(n)]]),
    fingerprint: `000000000000000${n}`,
  }))
  const { payload } = open(email, settings('x.invalid:25', { html })).compose(notificationOf(many))
  expect(payload).toMatchObject({ html: '', text: expect.stringMatching(/^The formatted version .* was too long/) })
  expect(payload).toMatchObject({
    text: expect.stringMatching(/This mail was cut here.*\nhttp:\/\/tocsin\.example\.com\n$/),
  })
})

test('names in other letters reach their addresses', async () => {
  await using sink = await openSmtpSink()
  const notifier = open(
    email,
    settings(sink.smarthost, { to: 'Zoë Жук <zoe@example.com>', from: 'Wächter <tocsin@example.com>' }),
  )
  expect(await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))).toEqual({
    state: 'delivered',
  })
  notifier.close?.()
  expect(sink.mails[0]).toMatchObject({ from: 'tocsin@example.com', to: ['zoe@example.com'] })
  expect(JSON.stringify(sink.mails[0]?.mail.to)).toContain('Zoë Жук')
})

describe('a login', () => {
  const both = { auth_password: 's3cret', auth_secret: 's3cret-2' }

  test.each([
    // the server offers         the file has                                                    it is let in
    [['CRAM-MD5'], { auth_secret: 'pass' }, true],
    [['PLAIN', 'LOGIN', 'CRAM-MD5'], { auth_secret: 'pass' }, true],
    [['CRAM-MD5'], { auth_secret: 's3cret' }, false],
    [['PLAIN'], { auth_secret: 'pass' }, false], // no secret goes where it can be read
    [['CRAM-MD5'], { auth_secret: 'pass', auth_password: 's3cret' }, true],
    [['LOGIN', 'CRAM-MD5'], { auth_secret: 's3cret', auth_password: 'pass' }, true],
    [['LOGIN'], { auth_password: 'pass' }, true],
    [['LOGIN'], { auth_password: 'pass', auth_identity: 'nobody' }, true], // which has no place for it
  ])('by %j with %j: %s', async (mechanisms, secrets, isLetIn) => {
    await using sink = await openSmtpSink({ login: true, mechanisms })
    const outcome = await attempt(open(email, settings(sink.smarthost, { auth_username: 'user', ...secrets })))
    expect(outcome).toMatchObject(isLetIn ? { state: 'delivered' } : { state: 'failed', reason: 'unauthorised' })
  })

  test('a secret is read anew where its file has changed', async () => {
    await using sink = await openSmtpSink({ login: true, mechanisms: ['CRAM-MD5'] })
    const auth_secret_file = join(dir, 'secret')
    writeFileSync(auth_secret_file, 'wrong')
    const notifier = open(email, settings(sink.smarthost, { auth_username: 'user', auth_secret_file }))
    const send = () => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
    expect(await send()).toMatchObject({ state: 'failed', reason: 'unauthorised' })
    writeFileSync(auth_secret_file, 'pass\n')
    expect(await send()).toEqual({ state: 'delivered' })
    notifier.close?.()
  })

  test.each([
    [{}, '\0user\0s3cret'],
    [{ auth_identity: 'boss' }, 'boss\0user\0s3cret'],
  ])('PLAIN is for %j', async (rest, said) => {
    await using server = await openScriptedSmtp()
    const outcome = await attempt(open(email, settings(server.smarthost, { auth_username: 'user', ...both, ...rest })))
    expect(outcome).toEqual({ state: 'delivered' })
    expect(server.lines).toContain(`AUTH PLAIN ${Buffer.from(said).toString('base64')}`)
  })

  test.each([
    ['535 no', { reason: 'unauthorised' }],
    ['454 4.7.0 later', { reason: 'server error' }],
  ])('for somebody else that is answered with %s', async (AUTH, outcome) => {
    await using server = await openScriptedSmtp({ AUTH })
    const given = { auth_username: 'user', auth_identity: 'boss', ...both }
    expect(await attempt(open(email, settings(server.smarthost, given)))).toMatchObject(outcome)
  })
})

describe("a mail server's TLS", () => {
  const { ca, ...pair } = certificate('good')
  const { pathname: own } = new URL('../helpers/certificates/good.pem', import.meta.url)

  test.each([
    ['who wants a certificate of ours', { requestCert: true }, {}, false],
    ['who is shown one', { requestCert: true }, { cert_file: own, key_file: own }, true],
    ['who is too old', { maxVersion: 'TLSv1.2' as const }, { min_version: 'TLS13' }, false],
    ['who is too new', { minVersion: 'TLSv1.3' as const }, { max_version: 'TLS12' }, false],
    ['who is both', {}, { min_version: 'TLS12', max_version: 'TLS13' }, true],
    ['who has another name', {}, { server_name: 'other.example' }, false],
    ['whom nobody looks at', {}, { server_name: 'other.example', insecure_skip_verify: true }, true],
  ])('%s', async (_who, how, tls_config, isSent) => {
    const tls = { ...pair, ca: readFileSync(ca), rejectUnauthorized: true, ...how }
    await using server = await openScriptedSmtp({}, tls)
    const notifier = open(
      email,
      settings(server.smarthost, { require_tls: true, tls_config: { ca_file: ca, ...tls_config } }),
    )
    const outcome = await attempt(notifier)
    expect(outcome.state).toBe(isSent ? 'delivered' : 'failed')
    expect(server.commands.includes('(content)')).toBe(isSent)
  })

  test('a file that is not there is told by its key and its name', async () => {
    const notifier = open(email, settings('127.0.0.1:1', { tls_config: { ca_file: '/none/ca.pem' } }))
    await expect(attempt(notifier)).rejects.toThrow('tls_config.ca_file: cannot read /none/ca.pem: ENOENT')
  })
})

test.each([
  ['nothing of threads', undefined, '<group-HASH@tocsin>'],
  ['no threads', { enabled: false }, undefined],
  ['a thread a group', { enabled: true, thread_by_date: 'none' }, '<alert-HASH-@alertmanager>'],
  ['a thread a day', { enabled: true, thread_by_date: 'daily' }, '<alert-HASH-2026-11-23@alertmanager>'],
])('where the file says %s', (_what, threading, wanted) => {
  const { payload } = open(email, settings('x.invalid:25', { threading })).compose(notificationOf())
  const hash = createHash('sha256').update(notificationOf().groupKey).digest('hex').slice(0, 16)
  const root = wanted?.replace('HASH', hash)
  const { headers } = payload as Mail
  expect([headers['References'], headers['In-Reply-To']]).toEqual([root, root])
})
