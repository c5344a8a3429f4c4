import cluster, { type Worker } from 'node:cluster'
import { randomUUID } from 'node:crypto'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { type Counted, OPENMETRICS, toOpenMetrics, withExemplars } from './openmetrics.ts'

/** Between a worker and the process that leads it: its own metrics, and all of them as text. */
type Word =
  | { kind: 'tocsin metrics'; say: 'ready' } // it can be asked
  | { kind: 'tocsin metrics'; say: 'yours?'; id: string }
  | { kind: 'tocsin metrics'; say: 'all?'; id: string; exemplars: boolean }
  | { kind: 'tocsin metrics'; say: 'mine'; id: string; counted: Counted }
  | { kind: 'tocsin metrics'; say: 'all'; id: string; text: string }

/** A worker that does not answer for so long counts with what it said last, ms. */
const PATIENCE = 1000
/** What the leading process takes at the most, ms. */
const LONGEST = 3000

function isWord(message: unknown): message is Word {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'tocsin metrics'
}

/** In the leading process: adds up the metrics of all workers for the one that asks. Those of workers that ended go on counting. */
export function answerForMetrics(): void {
  const last = new Map<number, Counted>() // by worker
  const waiting = new Map<string, (counted: Counted) => void>()
  let ended: Promise<Counted> = Promise.resolve([]) // what those have counted that are no more, one after the other

  cluster.on('exit', ({ id }: Worker) => {
    const counted = last.get(id)
    last.delete(id)
    // else what is counted would fall, and look as if it had begun anew
    if (counted) ended = ended.then((before) => addUp([before, counted.filter(goesOn)]))
  })
  cluster.on('message', (worker: Worker, message: unknown) => {
    if (!isWord(message)) return
    if (message.say === 'ready') last.set(worker.id, [])
    else if (message.say === 'mine') waiting.get(message.id)?.(message.counted)
    else if (message.say === 'all?') void answer(worker, message)
  })

  async function answer(worker: Worker, { id, exemplars }: { id: string; exemplars: boolean }): Promise<void> {
    await Promise.all([...last.keys()].map(ask))
    let known: typeof ended
    let before: Counted
    do {
      known = ended
      before = await known
    } while (known !== ended) // one has ended meanwhile
    const all = AggregatorRegistry.aggregate([before, ...last.values()])
    const text = exemplars
      ? toOpenMetrics(withExemplars(await all.getMetricsAsJSON(), [...last.values()]))
      : await all.metrics()
    if (worker.isConnected()) worker.send({ kind: 'tocsin metrics', say: 'all', id, text } satisfies Word)
  }

  async function ask(worker: number): Promise<void> {
    const asked = cluster.workers?.[worker]
    if (!asked?.isConnected()) return
    const id = randomUUID()
    const counted = await new Promise<Counted | undefined>((done) => {
      const timer = setTimeout(() => done(undefined), PATIENCE)
      waiting.set(id, (given) => {
        clearTimeout(timer)
        done(given)
      })
      asked.send({ kind: 'tocsin metrics', say: 'yours?', id } satisfies Word)
    })
    waiting.delete(id)
    if (counted && last.has(worker)) last.set(worker, counted)
  }
}

function goesOn({ type }: Counted[number]): boolean {
  return String(type) === 'counter' || String(type) === 'histogram' || String(type) === 'summary'
}

async function addUp(each: readonly Counted[]): Promise<Counted> {
  return AggregatorRegistry.aggregate([...each]).getMetricsAsJSON()
}

/**
 * In a worker: what all of them count, as text; its own where it is the only one. Rejects where the leading process does not
 * answer.
 */
export function metricsOfAll(registry: Registry): (exemplars: boolean) => Promise<{ text: string; type: string }> {
  const type = registry.contentType
  if (!cluster.isWorker)
    return async (exemplars) =>
      exemplars
        ? { text: toOpenMetrics(await registry.getMetricsAsJSON()), type: OPENMETRICS }
        : { text: await registry.metrics(), type }
  const waiting = new Map<string, (text: string) => void>()
  process.on('message', (message: unknown) => {
    if (!isWord(message)) return
    if (message.say === 'all') waiting.get(message.id)?.(message.text)
    else if (message.say === 'yours?') void tell(message.id)
  })
  const tell = async (id: string) => {
    const counted = await registry.getMetricsAsJSON()
    process.send?.({ kind: 'tocsin metrics', say: 'mine', id, counted } satisfies Word)
  }
  process.send?.({ kind: 'tocsin metrics', say: 'ready' } satisfies Word)
  return async (exemplars) => {
    const id = randomUUID()
    try {
      const text = await new Promise<string>((done, reject) => {
        const timer = setTimeout(() => reject(new Error('the leading process does not answer')), LONGEST)
        waiting.set(id, (all) => {
          clearTimeout(timer)
          done(all)
        })
        process.send?.({ kind: 'tocsin metrics', say: 'all?', id, exemplars } satisfies Word)
      })
      return { text, type: exemplars ? OPENMETRICS : type }
    } finally {
      waiting.delete(id)
    }
  }
}
