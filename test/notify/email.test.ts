import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { email, isAddress } from '../../src/notify/email.ts'
import type { Notification } from '../../src/notify/notifier.ts'
import { alertOf } from '../helpers/alerts.ts'
import { diskFull, notificationOf } from '../helpers/notification.ts'
import { openSmtpSink } from '../helpers/smtp-sink.ts'
import { open } from './contract.ts'

const settings = (smarthost: string) => ({
  ...email.fromTeam('oncall@example.com, second@example.com')[0],
  from: 'Tocsin <tocsin@example.com>',
  smarthost,
  require_tls: false,
})

async function sendOver(given: Record<string, unknown>, notification: Notification = notificationOf()) {
  const notifier = open(email, given)
  try {
    return await notifier.send(notifier.compose(notification), AbortSignal.timeout(10_000))
  } finally {
    notifier.close?.()
  }
}

test('a mail with both parts arrives, in a thread of its group', async () => {
  await using sink = await openSmtpSink()
  const evil = alertOf(
    { alertname: 'A', severity: 'warning' },
    { annotations: new Map([['summary', '<script>alert(1)</script>']]) },
  )
  expect(await sendOver(settings(sink.smarthost))).toEqual({ state: 'delivered' })
  expect(await sendOver(settings(sink.smarthost), notificationOf([evil], { id: 'other' }))).toEqual({
    state: 'delivered',
  })

  const [first, second] = sink.mails
  expect(first).toMatchObject({ from: 'tocsin@example.com', to: ['oncall@example.com', 'second@example.com'] })
  expect(first?.mail.subject).toBe('[CRITICAL] Disk full on db-1')
  expect(first?.mail.text).toContain('Volume <data> is above 95% & growing')
  expect(String(first?.mail.html)).toContain('Volume &lt;data&gt; is above 95% &amp; growing')
  expect(String(second?.mail.html)).not.toContain('<script>')
  expect(first?.mail.headers.get('auto-submitted')).toBe('auto-generated')
  expect(first?.mail.messageId).toContain(notificationOf().id)
  expect(first?.mail.references).toBe(second?.mail.references)
  expect(first?.mail.messageId).not.toBe(second?.mail.messageId)
})

test.each([
  ['450 is tried again', { rcpt: 450 }, { state: 'failed', reason: 'server error', detail: 'SMTP 450' }],
  ['550 is not', { rcpt: 550 }, { state: 'failed', reason: 'rejected', detail: 'SMTP 550' }],
  ['421 at MAIL is tried again', { mail: 421 }, { state: 'failed', reason: 'server error', detail: 'SMTP 421' }],
  ['451 after DATA is tried again', { data: 451 }, { state: 'failed', reason: 'server error', detail: 'SMTP 451' }],
  ['554 after DATA is not', { data: 554 }, { state: 'failed', reason: 'rejected', detail: 'SMTP 554' }],
])('%s', async (_name, refuse, outcome) => {
  await using sink = await openSmtpSink()
  sink.refuse = refuse
  expect(await sendOver(settings(sink.smarthost))).toEqual(outcome)
  expect(sink.mails).toHaveLength(0)
})

test('a login that is refused is told without the password', async () => {
  await using sink = await openSmtpSink({ login: true })
  const outcome = await sendOver({ ...settings(sink.smarthost), auth_username: 'user', auth_password: 's3cret' })
  expect(outcome).toMatchObject({ state: 'failed', reason: 'unauthorised' })
  expect(JSON.stringify(outcome)).not.toContain('s3cret')
  expect(await sendOver({ ...settings(sink.smarthost), auth_username: 'user', auth_password: 'pass' })).toEqual({
    state: 'delivered',
  })
})

test('a server without STARTTLS is not trusted where TLS is asked for', async () => {
  await using sink = await openSmtpSink()
  expect(await sendOver({ ...settings(sink.smarthost), require_tls: true })).toMatchObject({
    state: 'failed',
    reason: 'configuration',
  })
})

test('nobody listens: nothing was sent', async () => {
  const sink = await openSmtpSink()
  await sink[Symbol.asyncDispose]()
  expect(await sendOver(settings(sink.smarthost))).toMatchObject({ state: 'failed', reason: 'network' })
})

test('a server that says nothing ends with the deadline, and has nothing of the mail', async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const giveUp = new AbortController()
  server.once('connection', () => giveUp.abort())
  const notifier = open(email, settings(`127.0.0.1:${port}`))
  expect(await notifier.send(notifier.compose(notificationOf()), giveUp.signal)).toMatchObject({
    state: 'failed',
    reason: 'timeout',
  })
  notifier.close?.()
  server.close()
})

test.each([
  ['b@example.com', true],
  ['Name <b@example.com>', true],
  ['b@x\r\nRCPT TO:<evil@y.example>', false],
  ['group: b@example.com;', false],
  ['a@example.com, b@example.com', false],
  ['<b@example.com', false],
  ['b@', false],
  ['', false],
])('%j is one address: %s', (address, wanted) => {
  expect(isAddress(address)).toBe(wanted)
})

test('a label cannot add a header', async () => {
  await using sink = await openSmtpSink()
  const evil = alertOf({ alertname: 'A' }, { annotations: new Map([['summary', 'x\r\nBcc: evil@y.example']]) })
  expect(await sendOver(settings(sink.smarthost), notificationOf([evil, diskFull]))).toEqual({ state: 'delivered' })
  expect(sink.mails[0]?.mail.headers.has('bcc')).toBe(false)
  expect(sink.mails[0]?.to).toHaveLength(2)
})

test.each([
  'b@x.example\r\nRCPT TO:<evil@y.example>',
  'friends: evil@y.example;',
  'a@x.example <evil@y.example>, b@x.example',
  '"a, b" <evil@y.example>',
])('a label that makes the recipient %j reaches nobody by it', async (to) => {
  await using sink = await openSmtpSink()
  const alert = alertOf({ alertname: 'A' }, { annotations: new Map([['to', to]]) })
  const outcome = await sendOver(
    { ...settings(sink.smarthost), to: '{{ .CommonAnnotations.to }}' },
    notificationOf([alert]),
  )
  expect(outcome).toMatchObject({ state: 'failed', reason: 'rejected' })
  expect(sink.mails).toHaveLength(0)
})

test('a password is read anew where its file has changed', async () => {
  await using sink = await openSmtpSink({ login: true })
  const file = join(mkdtempSync(join(tmpdir(), 'tocsin-mail-')), 'password')
  writeFileSync(file, 'wrong\n')
  const notifier = open(email, { ...settings(sink.smarthost), auth_username: 'user', auth_password_file: file })
  const send = () => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
  expect(await send()).toMatchObject({ state: 'failed', reason: 'unauthorised' })
  writeFileSync(file, 'pass\n')
  expect(await send()).toEqual({ state: 'delivered' })
  notifier.close?.()
})

test('two first mails at once leave no connection behind', async () => {
  await using sink = await openSmtpSink()
  const notifier = open(email, settings(sink.smarthost))
  const send = () => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
  await Promise.all([send(), send()])
  notifier.close?.()
  await vi.waitFor(() => expect(sink.connections()).toBe(0), 10_000)
})

test('another password does not end mails that are on their way', async () => {
  await using sink = await openSmtpSink({ login: true })
  const file = join(mkdtempSync(join(tmpdir(), 'tocsin-mail-')), 'password')
  writeFileSync(file, 'pass\n')
  const notifier = open(email, { ...settings(sink.smarthost), auth_username: 'user', auth_password_file: file })
  const send = () => notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
  expect(await send()).toEqual({ state: 'delivered' })
  const before = Array.from({ length: 5 }, send)
  writeFileSync(file, 'wrong\n')
  expect(await send()).toMatchObject({ state: 'failed', reason: 'unauthorised' })
  expect(await Promise.all(before)).toEqual(before.map(() => ({ state: 'delivered' })))
  notifier.close?.()
  await vi.waitFor(() => expect(sink.connections()).toBe(0), 10_000)
})
