import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { tempDir } from '../helpers/engine.ts'
import { openRedis } from '../helpers/redis.ts'
import { openWorld } from '../helpers/world.ts'

const root = join(import.meta.dirname, '../..')
const words = z.array(z.string())

interface Image {
  folder: string // what would be `/`
  workdir: string
  user: string
  command: string[]
  healthcheck: string[]
}

/** Does in empty folders what the Dockerfile would do in containers. Throws at an instruction that it does not know. */
function build(dir: string): Image {
  const ignored = new Set(readFileSync(join(root, '.dockerignore'), 'utf8').split('\n'))
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'chown'), '#!/bin/sh\n', { mode: 0o755 }) // the user node is the base image's
  const env = { PATH: bin + delimiter + process.env['PATH'], HOME: dir, npm_config_cache: npmCache() }
  const stages = new Map<string, Image>()
  let image: Image | undefined
  for (const line of readFileSync(join(root, 'Dockerfile'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, instruction = '', rest = ''] = /^(\w+) (.*)$/.exec(line) ?? []
    if (instruction === 'FROM') {
      const [base = '', , name = 'last'] = rest.split(' ')
      expect(base).toMatch(/^node:\d+\.\d+\.\d+-alpine$/)
      image = { folder: join(dir, name), workdir: '', user: 'root', command: [], healthcheck: [] }
      mkdirSync(image.folder)
      stages.set(name, image)
      continue
    }
    if (!image) throw new Error(`before the first FROM: ${line}`)
    const here = join(image.folder, image.workdir)
    if (instruction === 'WORKDIR') {
      image.workdir = rest
      mkdirSync(join(image.folder, rest), { recursive: true })
    } else if (instruction === 'COPY') {
      const [, from, paths = ''] = /^(?:--from=(\w+) )?(.*)$/.exec(rest) ?? []
      const sources = paths.split(' ')
      const target = sources.pop() ?? ''
      for (const source of sources) {
        const path = from === undefined ? join(root, source) : join(stages.get(from)?.folder ?? '', source)
        const into = target.endsWith('/') ? join(here, target, source.split('/').at(-1) ?? '') : join(here, target)
        mkdirSync(dirname(into), { recursive: true })
        const filter = (file: string) =>
          from !== undefined || dirname(file) !== root || !ignored.has(file.slice(root.length + 1))
        cpSync(path, into, { recursive: true, filter, verbatimSymlinks: true })
      }
    } else if (instruction === 'RUN') {
      const ran = spawnSync('sh', ['-c', rest], { cwd: here, env, encoding: 'utf8' })
      if (ran.status !== 0) throw new Error(`${rest}: ${ran.stdout}${ran.stderr}`)
    } else if (instruction === 'USER') image.user = rest
    else if (instruction === 'CMD') image.command = words.parse(JSON.parse(rest))
    else if (instruction === 'HEALTHCHECK') image.healthcheck = words.parse(JSON.parse(rest.replace(/^.*? CMD /, '')))
    else if (instruction !== 'EXPOSE') throw new Error(`not known here: ${line}`)
  }
  if (!image) throw new Error('the Dockerfile has no FROM')
  return image
}

const npmCache = () => spawnSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).stdout.trim()

/** Every file with its size and when it changed, but for those under data/. */
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('data/') && name !== 'data')
    .map((name) => ({ name, file: lstatSync(join(folder, name)) }))
    .filter(({ file }) => !file.isDirectory())
    .map(({ name, file }) => ({ name, size: file.size, changedAt: file.mtimeMs }))

async function firstLine(child: ChildProcess, wanted: RegExp): Promise<string> {
  if (!child.stdout) throw new Error('nothing to read from')
  const seen: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (wanted.test(line)) return line
    seen.push(line)
  }
  throw new Error(`it ended: ${seen.join('\n')}`)
}

test('the image that the Dockerfile makes: small, no sources, runs as nobody special, writes to data/ only, knows how it is', async () => {
  using dir = tempDir()
  const { folder, workdir, user, command, healthcheck } = build(dir.path)
  const home = join(folder, workdir)
  const before = filesOf(home)
  const size = before.reduce((sum, { size: bytes }) => sum + bytes, 0)

  expect(user).toBe('node')
  expect(readdirSync(home).sort()).toEqual(['data', 'dist', 'node_modules', 'package.json', 'routing', 'templates'])
  expect(
    ['vitest', 'typescript', 'tsx', 'oxlint'].filter((name) => existsSync(join(home, 'node_modules', name))),
  ).toEqual([])
  expect(size / 1024 ** 2).toBeLessThan(100)

  await using world = await openWorld()
  await using redis = await openRedis()
  const run = (args: string[], env: Record<string, string> = {}) =>
    spawn(process.execPath, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const engine = run([...command.slice(1), '--web.listen-address=127.0.0.1:0'], {
    ...world.env,
    REDIS_URL: redis.socket,
  })
  const up = await firstLine(engine, /Tocsin is up/)
  const { url } = z.object({ url: z.string() }).parse(JSON.parse(up))
  const health = () =>
    spawnSync(
      process.execPath,
      healthcheck.slice(1).map((word) => word.replace('127.0.0.1:9093', new URL(url).host)),
    ).status
  expect(health()).toBe(0)
  engine.kill('SIGTERM')
  await once(engine, 'exit')
  expect(health()).toBe(1)

  const platform = run(['dist/examples/qlib-pro/main.js', '--port=0'])
  expect(await firstLine(platform, /simulated/)).toMatch(/http:\/\/127\.0\.0\.1:\d+\/metrics$/)
  platform.kill('SIGTERM')
  await once(platform, 'exit')

  expect(filesOf(home)).toEqual(before)
}, 240_000)
