import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Engine, eventually, startEngine, tempDir } from '../helpers/engine.ts'

const config = `
route: { receiver: nobody, group_by: [alertname] }
receivers: [{ name: nobody }]
`
const serversIn = (dir: string) =>
  spawnSync('pgrep', ['-f', `^\\S*redis-server.*${dir}`])
    .stdout.toString()
    .split('\n')
    .filter(Boolean)
    .map(Number)
const post = async (engine: Engine, alertname: string, description = '') =>
  (await engine.post('/api/v2/alerts', [{ labels: { alertname }, annotations: { description } }])).status
const kept = async (engine: Engine) =>
  new Set(
    (await engine.get<{ labels: Record<string, string> }[]>('/api/v2/alerts')).map(({ labels }) => labels['alertname']),
  )

test('a full disk: 503, Redis is started again and again, what was accepted is there; with room all is well', async () => {
  using dir = tempDir()
  const bin = join(dir.path, 'bin')
  const server = join(bin, 'redis-server')
  mkdirSync(bin)
  const real = spawnSync('sh', ['-c', 'command -v redis-server']).stdout.toString().trim()
  writeFileSync(server, `#!/bin/sh\ntrap '' XFSZ\nexec prlimit --fsize=300000 ${real} "$@"\n`) // as a disk of that size
  chmodSync(server, 0o755)
  await using engine = await startEngine({
    config,
    dir: dir.path,
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
  })
  const accepted: string[] = []
  let status = 200
  for (let n = 0; status === 200; n++) {
    status = await post(engine, `Alert${n}`, 'x'.repeat(5000))
    if (status === 200) accepted.push(`Alert${n}`)
  }
  expect(status).toBe(503)
  expect(accepted.length).toBeGreaterThan(10)
  const ended = await engine.says(/redis-server ended/)
  expect(String(ended['message'])).toMatch(/Its last words: .*(?:No space|File too large|Can't recover)/)

  writeFileSync(server, `#!/bin/sh\nexec ${real} "$@"\n`)
  for (const pid of serversIn(dir.path)) process.kill(pid, 'SIGKILL')
  await eventually(
    () => post(engine, 'After'),
    (answered) => answered === 200,
    40_000,
  )
  const seen = await kept(engine)
  expect([...accepted, 'After'].filter((name) => !seen.has(name))).toEqual([])
}, 120_000)

test('an append-only file that is torn costs the last record at most; the folder is its owner’s alone', async () => {
  using dir = tempDir()
  const first = await startEngine({ config, dir: dir.path })
  for (let n = 0; n < 20; n++) expect(await post(first, `Alert${n}`)).toBe(200)
  expect(statSync(join(dir.path, 'data')).mode & 0o777).toBe(0o700)
  await first.kill('SIGKILL')
  for (const pid of serversIn(dir.path)) process.kill(pid, 'SIGKILL')
  await eventually(
    async () => serversIn(dir.path),
    (left) => left.length === 0,
  )
  const folder = join(dir.path, 'data', 'appendonlydir')
  const file = join(folder, readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? '')
  truncateSync(file, statSync(file).size - 7)
  rmSync(join(dir.path, 'data', 'redis.sock'), { force: true })
  await using second = await startEngine({ config, dir: dir.path })
  const names = await kept(second)
  expect(Array.from({ length: 19 }, (_, n) => `Alert${n}`).filter((name) => !names.has(name))).toEqual([])
  expect(second.log.filter(({ message }) => /has lost all/.test(String(message)))).toEqual([])
  expect(await post(second, 'After')).toBe(200)
})
