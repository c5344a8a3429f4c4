/** A token bucket a client: so many at once, then one each so many ms. */
export interface BucketSize {
  burst: number
  every: number // ms
}

/** More clients than these are not told apart: the longest idle are forgotten, which only is kind to them. */
const MOST = 10_000

/** Buckets by client, of this replica alone. Instants in ms of a clock that never goes back. */
export class Buckets {
  readonly #size: BucketSize
  readonly #fullAt = new Map<string, number>() // client → when its bucket is full again

  constructor(size: BucketSize) {
    this.#size = size
  }

  /** Takes one; returns how long to wait, 0 where it was there. */
  take(client: string, at: number): number {
    const { burst, every } = this.#size
    const fullAt = Math.max(this.#fullAt.get(client) ?? 0, at)
    const wait = fullAt - at - (burst - 1) * every
    if (wait > 0) return wait
    this.#fullAt.delete(client) // to the end of the order
    this.#fullAt.set(client, fullAt + every)
    const [oldest] = this.#fullAt.size > MOST ? this.#fullAt.keys() : []
    if (oldest !== undefined) this.#fullAt.delete(oldest)
    return 0
  }
}
