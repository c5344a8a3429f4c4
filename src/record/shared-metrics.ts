import cluster, { type Worker } from 'node:cluster'
import { randomUUID } from 'node:crypto'
import { AggregatorRegistry, type Registry } from 'prom-client'

/** Of a worker to the process that leads it, and back. */
interface Asking {
  kind: 'tocsin metrics'
  id: string
  text?: string
  error?: string
}

const PATIENCE = 6000 // ms: prom-client's own ends after 5 s

function isAsking(message: unknown): message is Asking {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'tocsin metrics'
}

/** In the leading process: adds up the metrics of all workers for the one that asks. */
export function answerForMetrics(): void {
  const all = new AggregatorRegistry()
  cluster.on('message', (worker: Worker, message: unknown) => {
    if (!isAsking(message)) return
    const { kind, id } = message
    void all
      .clusterMetrics()
      .then(
        (text): Asking => ({ kind, id, text }),
        (error: unknown): Asking => ({ kind, id, error: String(error) }),
      )
      .then((answer) => worker.isConnected() && worker.send(answer))
  })
}

/** In a worker: what all of them count, as text; its own where it is the only one, or the others do not answer. */
export function metricsOfAll(registry: Registry): () => Promise<string> {
  if (!cluster.isWorker) return () => registry.metrics()
  AggregatorRegistry.setRegistries(registry)
  void new AggregatorRegistry() // answers for this worker
  const waiting = new Map<string, (answer: Asking) => void>()
  process.on('message', (message: unknown) => {
    if (isAsking(message)) waiting.get(message.id)?.(message)
  })
  return async () => {
    const id = randomUUID()
    const answer = await new Promise<Asking | undefined>((done) => {
      const timer = setTimeout(() => done(undefined), PATIENCE)
      waiting.set(id, (given) => {
        clearTimeout(timer)
        done(given)
      })
      process.send?.({ kind: 'tocsin metrics', id } satisfies Asking)
    })
    waiting.delete(id)
    return answer?.text ?? registry.metrics()
  }
}
