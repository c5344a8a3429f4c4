import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtCli } from '../helpers/built.ts'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'

const config = `
route: { receiver: sink }
receivers: [{ name: sink, webhook_configs: [{ url: 'http://127.0.0.1:1' }] }]
`
let engine: Engine
beforeAll(async () => {
  engine = await startEngine({ config })
}, 60_000)
afterAll(() => engine[Symbol.asyncDispose]())

const setLevel = (body: unknown, type = 'application/json') =>
  fetch(`${engine.url}/api/tocsin/v1/log-level`, {
    method: 'PUT',
    headers: { 'Content-Type': type },
    body: JSON.stringify(body),
  })
const refused = (headers: Record<string, string>) =>
  fetch(`${engine.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: 'no JSON',
  })

test.each<[what: string, headers: Record<string, string>, kept: boolean]>([
  ['a sane one is kept', { 'X-Request-Id': 'gw-7f3:a/b+c=.d' }, true],
  ['none: one is made', {}, false],
  ['one with spaces is not', { 'X-Request-Id': 'a b' }, false],
  ['one that is too long is not', { 'X-Request-Id': 'x'.repeat(129) }, false],
  ['one that would be markup is not', { 'X-Request-Id': '<script>' }, false],
])('a request id: %s', async (_what, headers, kept) => {
  const answer = await refused(headers)
  const id = answer.headers.get('x-request-id')
  if (kept) expect(id).toBe(headers['X-Request-Id'])
  else expect(id).toMatch(/^[0-9a-f]{32}$/)
  const line = await eventually(
    async () => engine.log.find(({ request_id: found }) => found === id),
    (found) => found !== undefined,
  )
  expect(line).toMatchObject({
    timestamp: expect.stringMatching(/Z$/),
    service: 'tocsin',
    level: 'warn',
    message: 'a request with alerts was refused',
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  })
})

test('a trace that the caller names is named on the lines of its request', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const answer = await refused({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` })
  const id = answer.headers.get('x-request-id')
  await eventually(
    async () => engine.log.find(({ request_id: found }) => found === id),
    (line) => line?.['trace_id'] === traceId,
  )
})

test('the level is changed at run time, which the audit log knows', async () => {
  const level = () => engine.get<{ level: string }>('/api/tocsin/v1/log-level')
  expect(await level()).toEqual({ level: 'info' })
  expect((await setLevel({ level: 'error' })).status).toBe(200)
  expect(await level()).toEqual({ level: 'error' })
  const id = (await refused({})).headers.get('x-request-id') // would be told of at warn
  for (const [body, status] of [
    [{ level: 'loud' }, 400],
    [{}, 400],
    [{ level: 'debug', more: 1 }, 400],
  ] as const)
    expect((await setLevel(body)).status).toBe(status)
  expect((await setLevel({ level: 'debug' }, 'text/plain')).status).toBe(415)
  expect((await setLevel({ level: 'info' })).status).toBe(200)
  expect(engine.log.filter(({ request_id: found }) => found === id)).toEqual([])
  const audit = await engine.get<{ event: string; level?: string }[]>('/api/tocsin/v1/audit')
  expect(audit.map(({ event, level: to }) => [event, to])).toEqual([
    ['log level changed', 'info'],
    ['log level changed', 'error'],
  ])
})

test('SIGUSR2 switches to debug and back', async () => {
  const said = () => engine.log.filter(({ message }) => message === 'the log level is changed, by SIGUSR2')
  engine.process.kill('SIGUSR2')
  await eventually(
    async () => said().map(({ level: _at, ...line }) => line),
    ([line]) => line !== undefined,
  )
  expect(await engine.get('/api/tocsin/v1/log-level')).toEqual({ level: 'debug' })
  engine.process.kill('SIGUSR2')
  await eventually(
    async () => said().length,
    (count) => count === 2,
  )
  expect(await engine.get('/api/tocsin/v1/log-level')).toEqual({ level: 'info' })
})

test('all workers change their level with the one that is asked', async () => {
  await using several = await startEngine({ config, args: ['--workers=2'] })
  const ask = (method: string) =>
    fetch(`${several.url}/api/tocsin/v1/log-level`, {
      method,
      headers: { 'Content-Type': 'application/json', Connection: 'close' },
      ...(method === 'PUT' && { body: '{"level":"error"}' }),
    })
  await eventually(
    async () => several.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === 2,
  )
  expect((await ask('PUT')).status).toBe(200)
  await eventually(
    async () => Promise.all(Array.from({ length: 6 }, async () => (await ask('GET')).text())),
    (answers) => answers.every((answer) => answer === '{"level":"error"}'),
  )
})

test.each<[format: string, line: RegExp]>([
  ['human', /^\d\d:\d\d:\d\d INFO {2}Tocsin is up {2}url=/m],
  ['json', /^\{"level":"info",.*"message":"Tocsin is up"\}$/m],
  ['logfmt', /^\{"level":"info",.*"message":"Tocsin is up"\}$/m],
])('--log.format=%s', async (format, line) => {
  using dir = tempDir()
  const file = join(dir.path, 'alertmanager.yml')
  writeFileSync(file, config)
  const child = spawn(process.execPath, [
    builtCli(),
    'serve',
    `--config.file=${file}`,
    `--storage.path=${join(dir.path, 'data')}`,
    '--web.listen-address=127.0.0.1:0',
    `--log.format=${format}`,
  ])
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  await eventually(
    async () => out,
    (text) => line.test(text),
  )
  child.kill('SIGTERM')
  await once(child, 'exit')
})

test('another format is refused with those there are', () => {
  const { status, stderr } = spawnSync(process.execPath, [builtCli(), 'serve', '--log.format=xml'], {
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr).toContain('human, json, logfmt')
})
