import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { openRedis } from '../helpers/redis.ts'

const config = `
route: { receiver: nobody }
receivers: [{ name: nobody }]
`

test('without redis-server: a sentence that says what to install', async () => {
  using dir = tempDir()
  await expect(startEngine({ config, dir: dir.path, env: { PATH: dir.path } })).rejects.toThrow(
    /neither redis-server nor valkey-server is on the PATH; install one \(Debian: apt-get install redis-server/,
  )
})

test('a Redis that is too old: a sentence that says which is needed', async () => {
  using dir = tempDir()
  const bin = join(dir.path, 'bin')
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, 'node'))
  writeFileSync(
    join(bin, 'redis-server'),
    '#!/bin/sh\necho "Redis server v=5.0.14 sha=00000000:0 malloc=jemalloc bits=64"\n',
  )
  chmodSync(join(bin, 'redis-server'), 0o755)
  await expect(startEngine({ config, dir: dir.path, env: { PATH: `${bin}:/bin:/usr/bin` } })).rejects.toThrow(
    /redis-server is version 5\.0\.14; Tocsin needs Redis 6\.2 or newer/,
  )
})

test('a Redis that may throw alerts away: a sentence that says what to set', async () => {
  await using redis = await openRedis('--maxmemory-policy', 'allkeys-lru')
  await expect(startEngine({ config, redis: redis.socket })).rejects.toThrow(
    /maxmemory-policy allkeys-lru, .* set it to noeviction/,
  )
})

test('a port that is taken: a sentence that says how to choose another', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  await expect(startEngine({ config, args: [`--web.listen-address=127.0.0.1:${port}`] })).rejects.toThrow(
    /is taken by another program; stop it or choose another with --web\.listen-address/,
  )
  server.close()
})

test('a secret that is not set: an error that names it and its line; in the sandbox it is stood in for', async () => {
  const withSecret = `
route: { receiver: slack }
receivers:
  - name: slack
    slack_configs:
      - api_url: \${SLACK_URL}
`
  await expect(startEngine({ config: withSecret })).rejects.toThrow(
    /tocsin\.yml:6:18: receivers\.0\.slack_configs\.0\.api_url: the environment variable SLACK_URL is not set/,
  )
  await using engine = await startEngine({ config: withSecret, args: ['--sandbox'] })
  expect((await fetch(`${engine.url}/inbox`)).status).toBe(200)
})

test('an embedded Redis that is frozen gets no second one beside it on the same data', async () => {
  using dir = tempDir()
  const servers = () =>
    spawnSync('pgrep', ['-f', `^redis-server.*${dir.path}`])
      .stdout.toString()
      .split('\n')
      .filter(Boolean)
      .map(Number)
  const first = await startEngine({ config, dir: dir.path })
  await first.kill('SIGKILL')
  const [pid] = servers()
  process.kill(pid ?? 0, 'SIGSTOP')
  const starting = startEngine({ config, dir: dir.path })
  await new Promise((pass) => setTimeout(pass, 4000)) // it looks, and waits
  expect(servers()).toEqual([pid])
  process.kill(pid ?? 0, 'SIGCONT')
  await using second = await starting
  expect(await second.says(/embedded Redis is up/)).toMatchObject({ adopted: true })
})

test('one embedded Redis to a folder: adopted after a crash, started again when it dies, gone with a clean stop', async () => {
  using dir = tempDir()
  const servers = () => {
    const { stdout } = spawnSync('pgrep', ['-f', `^redis-server.*${dir.path}`])
    return stdout.toString().split('\n').filter(Boolean).map(Number)
  }
  await using sink = await openHttpSink()
  const told = `
route: { receiver: sink, group_wait: 0s }
receivers: [{ name: sink, webhook_configs: [{ url: '${sink.url}' }] }]
`
  const first = await startEngine({ config: told, dir: dir.path })
  const [pid] = servers()
  await first.kill('SIGKILL')

  const second = await startEngine({ config: told, dir: dir.path })
  expect(await second.says(/embedded Redis is up/)).toMatchObject({ adopted: true })
  expect(servers()).toEqual([pid])
  process.kill(pid ?? 0, 'SIGKILL')
  await second.says(/redis-server ended/)
  await eventually(
    async () => (await second.post('/webhook', webhookPayload({ labels: { a: 'b' } }))).status,
    (status) => status === 200,
  )
  await sink.receives(1) // the workers have found it again too
  expect(await second.kill('SIGTERM')).toBe(0)
  await eventually(
    async () => servers(),
    (left) => left.length === 0,
  )
})

test('a second signal, as npm sends one, does not end what the first has begun; Alertmanager’s own flags are no reason not to start', async () => {
  const args = ['--cluster.listen-address=', '--cluster.peer=a:9094', '--cluster.peer=b:9094']
  await using engine = await startEngine({ config, args })
  expect(await engine.says(/^these flags change nothing/)).toMatchObject({
    flags: ['cluster.listen-address', 'cluster.peer'],
  })
  engine.process.kill('SIGINT')
  engine.process.kill('SIGINT')
  const stopped = engine.kill('SIGTERM')
  await engine.says(/^stopped/)
  expect(await stopped).toBe(0)
})
