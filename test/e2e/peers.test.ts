import { expect, test } from 'vitest'
import { type Engine, eventually, startEngine, webhookPayload } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'
import { randomFrom } from '../helpers/random.ts'
import { openRedis } from '../helpers/redis.ts'

const SEED = 4
const SENDERS = 16
const LEASE = 12_000 // a delivery's: who stands still for longer has lost what it held. ms
const PATIENCE = 60_000

interface Told {
  id: string
  notification: string // group key and status
  alerts: string[]
  at: number
}

interface Status {
  cluster: { name: string; status: string; peers: { name: string; address: string }[] }
}

interface Listed {
  labels: Record<string, string>
  status: { state: string; silencedBy: string[] }
}

const instances = ['a', 'b']

function groupedBy<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one])
  return groups
}

test(`three replicas, one killed and one frozen under load: every notification comes, and all agree (seed ${SEED})`, async () => {
  const random = randomFrom(SEED)
  await using redis = await openRedis()
  await using sink = await openHttpSink()
  const config = `
route: { receiver: sink, group_by: [alertname], group_wait: 0s, group_interval: 1s }
receivers: [{ name: sink, webhook_configs: [{ url: '${sink.url}' }] }]
`
  const start = () => startEngine({ config, redis: redis.socket })
  const replicas = await Promise.all([start(), start(), start()])
  const away = new Set<Engine>() // killed or frozen

  const told: Told[] = []
  sink.answer = ({ body, headers, at }) => {
    const { groupKey, status, alerts }: { groupKey: string; status: string; alerts: Listed[] } = JSON.parse(body)
    told.push({
      id: String(headers['webhook-id']),
      notification: `${groupKey} ${status}`,
      alerts: alerts.map((alert) => alert.labels['instance'] ?? ''),
      at,
    })
    return {}
  }
  const hears = (alertname: string, status: string) => {
    const notification = `{}:{alertname="${alertname}"} ${status}`
    return eventually(
      async () => notification,
      () => told.some((one) => one.notification === notification),
      PATIENCE,
    )
  }

  /** Any replica takes it; a killed one has not answered, so another is asked. */
  async function post(alertname: string, status: 'firing' | 'resolved', startsAt: string): Promise<void> {
    const life = { startsAt, ...(status === 'resolved' && { endsAt: new Date().toISOString() }) }
    const alerts = instances.map((instance) => ({ labels: { alertname, instance }, status, ...life }))
    for (;;) {
      const there = replicas.filter((replica) => !away.has(replica))
      const replica = there[Math.floor(random() * there.length)]
      const answer = await replica?.post('/webhook', webhookPayload(...alerts)).catch(() => undefined)
      if (answer?.ok) return
    }
  }

  let lives = 0
  let stopping = false
  async function sender(): Promise<void> {
    while (!stopping) {
      const alertname = `Alert${(lives += 1)}`
      const startsAt = new Date().toISOString()
      await post(alertname, 'firing', startsAt)
      await hears(alertname, 'firing')
      await post(alertname, 'resolved', startsAt)
      await hears(alertname, 'resolved')
    }
  }

  const load = Promise.all(Array.from({ length: SENDERS }, sender))
  load.catch(() => (stopping = true)) // told below
  const faults: number[] = []
  /** After some notifications more, anywhere. */
  const moment = async () => {
    await Promise.race([load, sink.receives(sink.requests.length + 30 + Math.floor(random() * 60))])
    faults.push(Date.now())
  }
  const at = (index: number): Engine => {
    const replica = replicas[index]
    if (!replica) throw new Error(`there is no replica ${index}`)
    return replica
  }
  const any = () => Math.floor(random() * replicas.length)

  try {
    await moment()
    const killed = any()
    away.add(at(killed))
    await at(killed).kill('SIGKILL')
    replicas[killed] = await start()

    await moment()
    const frozen = at(any())
    away.add(frozen)
    frozen.process.kill('SIGSTOP')
    const until = Date.now() + LEASE + 1500
    await eventually(
      async () => Date.now(),
      (now) => now > until,
      PATIENCE,
    )
    faults.push(Date.now())
    frozen.process.kill('SIGCONT')
    away.delete(frozen)

    await moment()
    stopping = true
    await load

    // Each notification was made once, of all its alerts, and sent again only if it was in the air at a fault.
    const made = groupedBy(told, ({ notification }) => notification)
    expect(made.size).toBe(2 * lives)
    expect(lives).toBeGreaterThan(50)
    expect([...made.values()].filter((all) => new Set(all.map(({ id }) => id)).size > 1)).toEqual([])
    expect(told.filter(({ alerts }) => alerts.join() !== instances.join())).toEqual([])
    const sent = [...groupedBy(told, ({ id }) => id).values()]
    expect(sent.filter((all) => new Set(all.map(({ notification }) => notification)).size > 1)).toEqual([])
    expect(sent.filter(({ length }) => length > 2)).toEqual([])
    const isNearFault = (one: Told) => faults.some((fault) => Math.abs(one.at - fault) < 2000)
    expect(sent.filter((all) => all.length > 1 && !all.some(isNearFault))).toEqual([])

    // What one replica is told, all know.
    const fromAll = <T>(path: string) => Promise.all(replicas.map((replica) => replica.get<T>(path)))
    const isSame = (answers: unknown[]) => new Set(answers.map((answer) => JSON.stringify(answer))).size === 1
    const hushed = `/api/v2/alerts?filter=${encodeURIComponent('alertname="Hushed"')}`
    const answer = await at(0).post('/api/v2/silences', {
      matchers: [{ name: 'alertname', value: 'Hush.*', isRegex: true, isEqual: true }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 600_000).toISOString(),
      createdBy: 'me',
      comment: 'hush',
    })
    const { silenceID } = (await answer.json()) as { silenceID: string }
    const silences = await eventually(
      () => fromAll<{ id: string; status: { state: string } }[]>('/api/v2/silences'),
      (lists) => lists.every((list) => list.some(({ id }) => id === silenceID)) && isSame(lists),
      1000,
    )
    expect(silences[0]).toMatchObject([{ id: silenceID, status: { state: 'active' } }])

    await at(1).post('/api/v2/alerts', [{ labels: { alertname: 'Hushed', instance: 'a' } }])
    await at(2).post(
      '/api/v2/alerts',
      instances.map((instance) => ({ labels: { alertname: 'Lasting', instance } })),
    )
    await hears('Lasting', 'firing')
    const found = await eventually(
      () => fromAll<Listed[]>(hushed),
      (lists) => lists.every(([alert]) => alert?.status.state === 'suppressed') && isSame(lists),
      1000,
    )
    expect(found[0]).toMatchObject([{ status: { silencedBy: [silenceID] } }])
    for (const path of ['/api/v2/alerts', '/api/v2/alerts/groups']) {
      const lists = await eventually(() => fromAll<unknown[]>(path), isSame, 5000)
      expect(lists[0]).toHaveLength(path.endsWith('groups') ? 2 : 3)
    }
    expect(told.filter(({ notification }) => notification.includes('Hushed'))).toEqual([])
    await fetch(`${at(2).url}/api/v2/silence/${silenceID}`, { method: 'DELETE' })
    await hears('Hushed', 'firing')

    // And who there is.
    const status = await eventually(
      () => fromAll<Status>('/api/v2/status'),
      (all) => all.every(({ cluster }) => cluster.peers.length === replicas.length),
      20_000,
    )
    const addresses = replicas.map(({ url }) => new URL(url).host).sort()
    for (const { cluster } of status) {
      expect(cluster.status).toBe('ready')
      expect(cluster.peers.map(({ address }) => address).sort()).toEqual(addresses)
      expect(cluster.peers.map(({ name }) => name)).toEqual(status.map((other) => other.cluster.name).sort())
    }
  } finally {
    stopping = true
    for (const replica of replicas) replica.process.kill('SIGCONT')
    await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()))
  }
}, 180_000)
