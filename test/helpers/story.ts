import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { builtinTemplates } from '../../src/config/builtin.ts'
import { loadConfig } from '../../src/config/load.ts'
import { RETENTION } from '../../src/dedup/dedup.ts'
import { readAll } from '../../src/ingest/batch.ts'
import { postedText } from '../../src/ingest/posted-text.ts'
import { webhookAlerts } from './webhook-alerts.ts'
import { parseMatchers } from '../../src/match/parse.ts'
import { parseDuration } from '../../src/model/duration.ts'
import { channels } from '../../src/notify/index.ts'
import type { Notification, Notifier, Outcome } from '../../src/notify/notifier.ts'
import { accept, regroup } from '../../src/pipeline/accept.ts'
import { type Canary, openCanary } from '../../src/pipeline/canary.ts'
import { deliver } from '../../src/pipeline/deliver.ts'
import type { Deps } from '../../src/pipeline/deps.ts'
import { flushDue } from '../../src/pipeline/flush.ts'
import { openInhibition } from '../../src/pipeline/inhibition.ts'
import { openRouting } from '../../src/pipeline/routing.ts'
import { accountIncident } from '../../src/pipeline/account.ts'
import { openKeptMessages } from '../../src/pipeline/kept-messages.ts'
import { openOrigins } from '../../src/pipeline/origins.ts'
import { openTally } from '../../src/pipeline/tally.ts'
import { openSilences } from '../../src/pipeline/silences.ts'
import { sweep } from '../../src/pipeline/timers.ts'
import { type Wake, jobIdOf } from '../../src/queue/delivery.ts'
import { openLog } from '../../src/record/log.ts'
import { openMetrics } from '../../src/record/metrics.ts'
import { keysFor } from '../../src/store/keys.ts'
import type { SilenceAudit } from '../../src/store/silences.ts'
import { openStore } from '../../src/store/store.ts'
import { type Silence, endSilence } from '../../src/suppress/silence.ts'
import type { TestRedis } from './redis.ts'

/** What an integration was told, as a line reads: `0s ops/webhook/0 firing first notification: A B`. */
export type Line = string

export interface Story extends AsyncDisposable {
  deps: Deps
  canary: Canary
  lines: Line[]
  log: Record<string, unknown>[] // of errors
  /** What the channel answers to the next attempts; delivered where there is none. */
  answers: Outcome[]
  /** Moves time, flushing and delivering whatever is due on the way; returns what was told meanwhile. */
  advance(duration: string): Promise<Line[]>
  /** Moves time while nobody is there to flush or deliver. */
  skip(duration: string): void
  fire(...names: string[]): Promise<void> // by webhook, with the label group="g"
  resolve(...names: string[]): Promise<void>
  post(...alerts: Record<string, unknown>[]): Promise<void> // by the API
  /** Silences what the matchers fit, from now on. Returns the silence's id. */
  silence(matchers: string, duration: string): Promise<string>
  /** Ends a silence now. */
  expire(id: string): Promise<void>
  reload(config: string): Promise<void>
  /** Loses every job that has not run. */
  loseJobs(): void
}

let stories = 0

/**
 * The pipeline on a real Redis with a clock that the test moves, in-process. It delivers to the story's own
 * lines, or by the channels themselves.
 */
export async function tell(
  server: TestRedis,
  config: string,
  { deliverBy = 'lines', exact = false }: { deliverBy?: 'lines' | 'channels'; exact?: boolean } = {},
): Promise<Story> {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-story-'))
  const prefix = `story${(stories += 1)}`
  const keys = keysFor(prefix)
  const start = Date.UTC(2026, 10, 23, 10)
  let now = start
  let ids = 0
  let woken: { id: string; row: string; channel: string; integration: string; at: number }[] = []
  const running = new Set<string>()
  const lines: Line[] = []
  const answers: Outcome[] = []
  const log: Record<string, unknown>[] = []
  const canary = openCanary()

  function load(text: string) {
    const file = join(dir, 'tocsin.yml')
    writeFileSync(file, text)
    const read = loadConfig<Notifier>(file, { env: {}, sandbox: false, channels })
    const loaded = canary.into(read)
    if (deliverBy === 'channels') return openRouting(loaded, builtinTemplates(), (_id, notifier) => notifier)
    return openRouting(loaded, [], (integration, notifier) => ({
      fixed: { to: '', destination: integration },
      compose: (notification) => ({
        to: '',
        title: '',
        text: '',
        payload: notification,
        destination: notification.integration,
        cost: 1,
      }),
      async send(message, signal) {
        const { payload } = message
        if (!read.integrations.has(integration)) return notifier.send(message, signal) // the canary's
        const { data, possibleRepeat, insteadOf } = payload as Notification
        const outcome = answers.shift() ?? { state: 'delivered' }
        const names = data.alerts.map(({ labels, status }) =>
          status === 'firing' ? labels.get('alertname') : `-${labels.get('alertname')}`,
        )
        const how = `${outcome.state === 'delivered' ? '' : `${outcome.state} `}${possibleRepeat ? 'repeat? ' : ''}${insteadOf && `instead of ${insteadOf} `}`
        const labels = [...data.routeLabels].map(([name, value]) => ` ${name}=${value}`).join('')
        lines.push(
          `${(now - start) / 1000}s ${integration} ${how}${data.status} ${data.notificationReason}: ${names.join(' ')}${labels}`,
        )
        return outcome
      },
    }))
  }

  let routing = load(config)
  const clock = { now: () => now }
  const kept = openStore(server.redis, prefix)
  const newId = () => `id${(ids += 1)}`
  async function wake(wakes: readonly Wake[]): Promise<void> {
    for (const one of wakes) {
      const id = jobIdOf(one)
      // as BullMQ: a job that waits or runs is not added again
      if (running.has(id) || woken.some((job) => job.id === id)) continue
      const { row, channel, integration, delay } = one
      woken.push({ id, row, channel, integration, at: now + delay })
    }
  }
  const metrics = openMetrics('0.0.0', 'test')
  const tally = openTally(kept, clock)
  const origins = openOrigins({ store: kept, tally, tracing: undefined, metrics, clock })
  const store = { ...kept, groups: origins.watching(kept.groups) }
  const deps: Deps = {
    get routing() {
      return routing
    },
    store,
    silences: openSilences(store, clock, RETENTION, metrics),
    tally,
    messages: openKeptMessages(store),
    origins,
    inhibition: openInhibition(store, newId),
    retention: RETENTION,
    exact,
    calmUntil: 0,
    queue: { wake, pass: wake },
    log: openLog(
      'error',
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          log.push(JSON.parse(chunk.toString()))
          done()
        },
      }),
    ),
    metrics,
    events: { publish: (kind, data) => void accountIncident({ kind, data }, deps) },
    clock,
    random: () => 1,
    newId,
    externalURL: 'http://tocsin.example.com',
    excused: new Set(),
    stopping: new AbortController().signal,
  }

  await deps.inhibition.prepare(routing)

  async function runDue(): Promise<void> {
    for (;;) {
      const flushed = await flushDue(deps)
      const due = woken.filter(({ at }) => at <= now)
      woken = woken.filter(({ at }) => at > now)
      for (const { id, row, channel, integration } of due) {
        running.add(id)
        if (channel === 'canary') await canary.deliver(row, deps)
        else {
          const deadline = channels.find(({ name }) => name === channel)?.deadline ?? 0
          await deliver(row, deadline, integration, deps)
        }
        running.delete(id)
      }
      if (flushed === 0 && due.length === 0) return
    }
  }

  const closeAdapters = () => {
    for (const adapter of routing.adapters.values()) adapter.close?.()
  }

  const story: Story = {
    deps,
    canary,
    lines,
    log,
    answers,
    async advance(duration) {
      const before = lines.length
      const target = now + (parseDuration(duration) ?? 0)
      await runDue()
      for (;;) {
        const group = await deps.store.groups.nextDue()
        const next = Math.min(group ?? Infinity, ...woken.map(({ at }) => at))
        if (next > target) break
        now = Math.max(now, next)
        await runDue()
      }
      now = target
      return lines.slice(before)
    },
    skip(duration) {
      now += parseDuration(duration) ?? 0
    },
    async fire(...names) {
      const alerts = names.map((alertname) => ({
        status: 'firing',
        labels: { alertname, group: 'g' },
        startsAt: new Date(now).toISOString(),
      }))
      await accept(webhookAlerts({ alerts }, now), 'webhook', deps)
    },
    async resolve(...names) {
      const alerts = names.map((alertname) => ({
        status: 'resolved',
        labels: { alertname, group: 'g' },
        startsAt: new Date(now - 1).toISOString(),
        endsAt: new Date(now).toISOString(),
      }))
      await accept(webhookAlerts({ alerts }, now), 'webhook', deps)
    },
    async post(...alerts) {
      const text = JSON.stringify(alerts)
      const batch = postedText(text, () => JSON.parse(text), now, routing.config, routing.known, 100)
      await accept(readAll(batch), 'v2', deps)
    },
    async silence(matchers, duration) {
      const silence: Silence = {
        id: newId(),
        matchers: parseMatchers(matchers).matchers,
        startsAt: now,
        endsAt: now + (parseDuration(duration) ?? 0),
        updatedAt: now,
        createdBy: 'story',
        comment: '',
        annotations: new Map(),
      }
      await store.silences.put([{ before: undefined, silence }], auditOf('silence created', silence.id), 0, 'epoch')
      return silence.id
    },
    async expire(id) {
      await deps.silences.freshen(await store.versions())
      const before = deps.silences.get(id)
      if (!before) throw new Error(`there is no silence ${id}`)
      const silence = endSilence(before, now)
      await store.silences.put([{ before, silence }], auditOf('silence expired', id), 0, 'epoch')
    },
    async reload(text) {
      const next = load(text)
      await deps.inhibition.prepare(next)
      closeAdapters()
      routing = next
      await regroup(deps)
    },
    loseJobs() {
      woken = []
    },
    async [Symbol.asyncDispose]() {
      closeAdapters()
      rmSync(dir, { recursive: true, force: true })
      const left = await server.redis.keys(`${keys.bullmq}:*`)
      if (left.length > 0) await server.redis.del(left)
    },
  }
  return story
}

function auditOf(event: SilenceAudit['event'], silence: string): SilenceAudit {
  return { at: '', event, silence, by: 'story', from: '', client: '' }
}

/** What a sweep does now. */
export async function sweepNow({ deps }: Story): Promise<void> {
  await sweep(deps)
}
