import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { builtCli } from './built.ts'

const root = join(import.meta.dirname, '../..')

export interface Engine extends AsyncDisposable {
  url: string
  process: ChildProcess
  log: Record<string, unknown>[]
  /** What it wrote to standard error until now. */
  stderr(): string
  /** Resolves with the first log line whose message matches, those before now included. */
  says(message: RegExp): Promise<Record<string, unknown>>
  post(path: string, body: unknown): Promise<Response>
  /** The answer's JSON, taken for what the caller says it is. */
  get<T>(path: string): Promise<T>
  kill(signal: NodeJS.Signals): Promise<number | null>
}

export interface EngineOptions {
  config: string // the routing file's text, or a path that ends in .yml
  redis?: string // address or socket; without it an embedded one in `dir`
  dir?: string // stays behind for the next engine, where given
  env?: Record<string, string>
  args?: string[]
  cli?: string // another build than dist/
  wrap?: string[] // a command that runs it, such as prlimit
  node?: readonly string[] // options of Node's own
}

/** A folder of the test's own. */
export function tempDir(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'tocsin-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** The built engine as a process of its own on a free port; resolves once it is up, rejects with its log if it ends. */
export async function startEngine({
  config,
  redis,
  dir,
  env = {},
  args = [],
  cli = builtCli(),
  wrap = [],
  node = [],
}: EngineOptions): Promise<Engine> {
  const folder = dir ?? mkdtempSync(join(tmpdir(), 'tocsin-'))
  const file = config.endsWith('.yml') ? config : join(folder, 'tocsin.yml')
  if (file !== config) writeFileSync(file, config)
  const [command, ...before] = [...wrap, process.execPath]
  const child = spawn(
    command,
    [
      ...before,
      ...node,
      // as in production
      '--disallow-code-generation-from-strings',
      '--max-semi-space-size=32',
      cli,
      'serve',
      `--config.file=${file}`,
      '--web.listen-address=127.0.0.1:0',
      `--storage.path=${join(folder, 'data')}`,
      ...(redis ? [`--redis.url=${redis}`] : []),
      ...args,
    ],
    { cwd: root, env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const log: Record<string, unknown>[] = []
  const waiting: { message: RegExp; done: (line: Record<string, unknown>) => void }[] = []
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line: Record<string, unknown> = JSON.parse(text)
    log.push(line)
    for (const { message, done } of waiting) if (message.test(String(line['message']))) done(line)
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))

  const engine: Engine = {
    url: '',
    process: child,
    log,
    stderr: () => stderr,
    says(message) {
      const known = log.find((line) => message.test(String(line['message'])))
      return known ? Promise.resolve(known) : new Promise((done) => waiting.push({ message, done }))
    },
    post: (path, body) =>
      fetch(engine.url + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async get<T>(path: string): Promise<T> {
      const answer = await fetch(engine.url + path)
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as T
    },
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      child.kill(signal)
      await once(child, 'exit')
      return child.exitCode
    },
    async [Symbol.asyncDispose]() {
      await engine.kill('SIGTERM')
      if (!dir) rmSync(folder, { recursive: true, force: true })
    },
  }
  const up = await Promise.race([engine.says(/^Tocsin is up/), once(child, 'exit').then(() => undefined)])
  if (!up) throw new Error(`the engine ended: ${log.map((line) => JSON.stringify(line)).join('\n')}${stderr}`)
  engine.url = String(up['url'])
  return engine
}

/** Asks again until the answer is good; for what has no event to wait for. */
export async function eventually<T>(
  ask: () => Promise<T>,
  good: (answer: T) => boolean,
  patience = 15_000,
): Promise<T> {
  const end = Date.now() + patience
  for (;;) {
    const answer = await ask()
    if (good(answer)) return answer
    if (Date.now() > end) throw new Error(`still not: ${JSON.stringify(answer)}`)
    await new Promise((again) => setTimeout(again, 50))
  }
}

/** Alertmanager's webhook payload for these alerts. */
export function webhookPayload(
  ...alerts: {
    labels: Record<string, string>
    annotations?: Record<string, string>
    status?: 'firing' | 'resolved'
    startsAt?: string
    endsAt?: string
  }[]
) {
  return {
    version: '4',
    receiver: 'tocsin',
    status: alerts.some(({ status }) => status !== 'resolved') ? 'firing' : 'resolved',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example.com',
    alerts: alerts.map((alert) => ({
      status: 'firing',
      annotations: {},
      startsAt: '2026-11-23T21:37:20.122Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: '',
      fingerprint: '0000000000000000',
      ...alert,
    })),
  }
}
