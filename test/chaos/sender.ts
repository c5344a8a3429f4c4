/**
 * A sender as a process of its own: makes groups of alerts, each with a life, and posts them as Prometheus and Alertmanager
 * would. What each request came to is in its ledger. `node --import tsx sender.ts '<Plan as JSON>'`; a line of standard
 * input is the list of engines to post to as JSON, or `stop`: no new groups, and the end once the others have lived.
 */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../helpers/random.ts'
import { type Sent, type SentAlert, append } from './ledger.ts'

export interface Plan {
  seed: number
  name: string // of this sender: part of its alerts' names
  ledger: string
  teams: Record<string, string> // name → its canary token
  perSecond: number // groups begun
  criticalShare: number
  resolveShare: number
  everywhere: boolean // each alert goes to all engines, as from Prometheus; else to one of them
  patience: number // ms for an answer
  pad: number // bytes of ballast in an annotation
  lanes: number // 0: groups with lives; else a flood, so many requests at a time
}

/** Of a flood: alerts in every second lane's requests, and ms between them. */
const BATCH = 64
const PAUSE = 100

const plan = JSON.parse(process.argv[2] ?? '') as Plan
const random = randomFrom(plan.seed)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const teams = Object.keys(plan.teams)

let urls: string[] = []
let isStopping = false
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'stop') isStopping = true
  else urls = JSON.parse(line) as string[]
})

const lives: Promise<void>[] = Array.from({ length: plan.lanes }, (_, n) => flood(n))
for (let k = 0; !isStopping; k++) {
  if (urls.length > 0 && plan.lanes === 0) lives.push(live(k))
  await sleep(1000 / plan.perSecond)
}
await Promise.all(lives)
process.exit(0)

/**
 * One request after another, of one alert or of many, each a group of its own, and none is sent again. Slow enough for the sender
 * itself to be never what its requests wait for: what has no answer has none from the engine.
 */
async function flood(lane: number): Promise<void> {
  const size = lane % 2 === 0 ? 1 : BATCH
  for (let k = 0; !isStopping; k++) {
    const alerts = Array.from({ length: size }, (_, i): SentAlert => {
      const group = `${plan.name}${lane}n${k}n${i}`
      return { id: `${group}.0`, group, team: pick(teams), severity: 'warning', state: 'firing' }
    })
    if (urls.length > 0) await post(alerts, new Date().toISOString(), '/api/v2/alerts')
    await sleep(PAUSE)
  }
}

/** One group from its first alert to its last word. The first stays to the end, so that the group is one incident. */
async function live(k: number): Promise<void> {
  const team = pick(teams)
  const severity = random() < plan.criticalShare ? 'critical' : 'warning'
  const group = `${plan.name}${k}`
  const path = random() < 0.5 ? '/webhook' : '/api/v2/alerts'
  const size = 1 + Math.floor(random() * 3)
  const begun = new Date().toISOString()
  const alert = (n: number): SentAlert => ({ id: `${group}.${n}`, group, team, severity, state: 'firing' })
  const pauses = Array.from({ length: 8 }, () => random() * 400)
  const ends = random() < plan.resolveShare
  const pause = () => sleep(pauses.pop() ?? 0)

  if (!(await insist([alert(0)], begun, path))) return // nobody took it: the group never was
  const others: SentAlert[] = []
  for (let n = 1; n < size; n++) {
    await pause()
    if ((await post([alert(n)], begun, path)) === 'acked') others.push(alert(n))
  }
  if (!ends) return
  await pause()
  for (const one of others) {
    await insist([{ ...one, state: 'resolved' }], begun, path)
    await pause()
  }
  await insist([{ ...alert(0), state: 'resolved' }], begun, path)
}

/** Sends again until it is taken, as senders do; false where nobody takes it for long. */
async function insist(alerts: SentAlert[], begun: string, path: string): Promise<boolean> {
  for (let tries = 0; tries < 120; tries++) {
    if ((await post(alerts, begun, path)) === 'acked') return true
    await sleep(250)
  }
  return false
}

async function post(alerts: SentAlert[], begun: string, path: string): Promise<Sent['result']> {
  const targets = plan.everywhere ? urls : [pick(urls.length > 0 ? urls : [''])]
  const results = await Promise.all(targets.map((url) => postTo(url, alerts, begun, path)))
  return results.includes('acked') ? 'acked' : results.includes('unknown') ? 'unknown' : 'refused'
}

async function postTo(url: string, alerts: SentAlert[], begun: string, path: string): Promise<Sent['result']> {
  const at = Date.now()
  const listed = alerts.map(({ id, group, team, severity, state }) => ({
    labels: { alertname: group, team, severity, id },
    annotations: { token: plan.teams[team] ?? '', ...(plan.pad > 0 && { ballast: 'x'.repeat(plan.pad) }) },
    startsAt: begun,
    ...(state === 'resolved' && { endsAt: new Date(at).toISOString() }),
  }))
  const body =
    path === '/webhook'
      ? { version: '4', alerts: listed.map((one, i) => ({ status: alerts[i]?.state, ...one })) }
      : listed
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(plan.patience),
  }).catch(() => undefined)
  const status = answer?.status ?? 0
  const result = status === 0 ? 'unknown' : status < 300 ? 'acked' : 'refused'
  append(plan.ledger, { at, doneAt: Date.now(), result, status, alerts })
  await answer?.arrayBuffer().catch(() => {})
  return result
}
