import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'

const configFor = (url: string, groupWait = '0s') => `
route: { receiver: sink, group_by: [alertname], group_wait: ${groupWait}, group_interval: 1s }
receivers: [{ name: sink, webhook_configs: [{ url: '${url}' }] }]
`
const children = ({ process: { pid } }: Engine) =>
  spawnSync('pgrep', ['-P', String(pid), '-f', 'cli.js'])
    .stdout.toString()
    .split('\n')
    .filter(Boolean)
    .map(Number)
const metric = async ({ url }: Engine, name: string) => {
  // a connection of its own each time, so that another worker may answer
  const text = await (await fetch(`${url}/metrics`, { headers: { Connection: 'close' } })).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1])
}
const post = async ({ url }: Engine, alertname: string) =>
  (
    await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Connection: 'close' },
      body: JSON.stringify([{ labels: { alertname } }]),
    })
  ).status

test('workers share a port, a Redis and the work; one that dies is replaced; a stop ends all of them', async () => {
  using dir = tempDir()
  await using sink = await openHttpSink()
  const engine = await startEngine({ config: configFor(sink.url), dir: dir.path, args: ['--workers=2'] })
  const pids = await eventually(
    async () => children(engine),
    ({ length }) => length === 2,
  )
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === 2,
  )
  const names = Array.from({ length: 20 }, (_none, i) => `A${i}`)
  for (const name of names) expect(await post(engine, name)).toBe(200)
  await sink.receives(20)
  expect(sink.requests).toHaveLength(20)
  // all that both have counted, whoever is asked
  for (let ask = 0; ask < 4; ask++) {
    expect(await metric(engine, 'alertmanager_alerts_received_total')).toBe(20)
    expect(await metric(engine, 'tocsin_build_info')).toBe(1)
  }

  process.kill(pids[0] ?? 0, 'SIGKILL')
  expect(await engine.says(/^a worker ended; another is started/)).toMatchObject({ worker: pids[0] })
  await eventually(
    () => post(engine, 'After'),
    (status) => status === 200,
  )
  await eventually(
    async () => children(engine),
    (now) => now.length === 2 && !now.includes(pids[0] ?? 0),
  )
  await sink.receives(21)

  expect(await engine.kill('SIGTERM')).toBe(0)
  expect(children(engine)).toEqual([])
  const redis = spawnSync('pgrep', ['-f', `^redis-server.*${dir.path}`])
  expect(redis.stdout.toString()).toBe('')
})

test('what nobody can say yet is not a number on its way between workers, either', async () => {
  await using engine = await startEngine({ config: configFor('http://127.0.0.1:1'), args: ['--workers=2'] })
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === 2,
  )
  const text = await (await fetch(`${engine.url}/metrics`)).text()
  for (const name of ['tocsin_mttr_seconds', 'tocsin_kpi{kpi="accept_availability"}', 'tocsin_kpi{kpi="coverage"}'])
    expect(text.toLowerCase().split('\n')).toContain(`${name} nan`)
})

test('a reload that one worker is asked for reloads all', async () => {
  using dir = tempDir()
  await using sink = await openHttpSink()
  await using engine = await startEngine({ config: configFor(sink.url), dir: dir.path, args: ['--workers=3'] })
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === 3,
  )
  writeFileSync(join(dir.path, 'tocsin.yml'), configFor(sink.url, '2h'))
  expect((await engine.post('/-/reload', '')).status).toBe(200)
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'the routing file was loaded').length,
    (loaded) => loaded === 3,
  )
})

test('a reload while they start ends none of them', async () => {
  using dir = tempDir()
  await using sink = await openHttpSink()
  await using engine = await startEngine({ config: configFor(sink.url), dir: dir.path, args: ['--workers=3'] })
  engine.process.kill('SIGHUP') // the first is up
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === 3,
  )
  await engine.says(/^the routing file was loaded/)
  expect(children(engine)).toHaveLength(3)
})

test('what a worker has counted goes on counting when it is frozen, and when it is gone', async () => {
  using dir = tempDir()
  await using sink = await openHttpSink()
  await using engine = await startEngine({ config: configFor(sink.url), dir: dir.path, args: ['--workers=2'] })
  await eventually(
    async () => engine.log.filter(({ message }) => message === 'Tocsin is up').length,
    (up) => up === 2,
  )
  for (let n = 0; n < 10; n++) await post(engine, `A${n}`)
  const received = () => metric(engine, 'alertmanager_alerts_received_total')
  expect(await received()).toBe(10)
  const [first = 0] = children(engine)
  process.kill(first, 'SIGKILL')
  await engine.says(/^a worker ended/)
  expect(await received()).toBe(10)
  await post(engine, 'B')
  expect(await received()).toBe(11)
})

test('what is wrong with a file is said once, and ends all', async () => {
  const failing = startEngine({ config: 'route: {}', args: ['--workers=3'] })
  const error: unknown = await failing.catch((why: unknown) => why)
  expect(String(error).match(/Tocsin cannot run/g)).toHaveLength(1)
})
