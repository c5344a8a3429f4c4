/** Wrong passwords that cost nothing yet. */
const FREE = 5
const FIRST = 1000
const LONGEST = 5 * 60_000
/** After so long without another the count begins anew, ms. */
const FORGOTTEN = 15 * 60_000
const MOST = 10_000

interface Failures {
  count: number
  last: number
}

/**
 * Wrong logins by address: after five each one more doubles how long no password from there is looked at, to five minutes
 * at the most. By address and not by user: else whoever knows a name could lock its owner out. Instants in epoch ms.
 */
export class Backoff {
  readonly #failures = new Map<string, Failures>()

  /** How long no password from an address is looked at, ms; 0 where it is. */
  wait(address: string, at: number): number {
    const found = this.#failures.get(address)
    if (!found || found.count < FREE) return 0
    return Math.max(0, found.last + Math.min(FIRST * 2 ** (found.count - FREE), LONGEST) - at)
  }

  failed(address: string, at: number): void {
    const before = this.#failures.get(address)
    const count = before && at - before.last < FORGOTTEN ? before.count + 1 : 1
    this.#failures.delete(address)
    this.#failures.set(address, { count, last: at })
    if (this.#failures.size <= MOST) return
    const [oldest] = this.#failures.keys()
    if (oldest !== undefined) this.#failures.delete(oldest)
  }
}

/** What counts as one client's address: of IPv6 the network that a house has, as it may take any address there. */
export function clientNetwork(address: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (v4 !== undefined) return v4
  const [head = '', tail] = address.toLowerCase().replace(/%.*$/, '').split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const filled =
    tail === undefined
      ? before
      : [...before, ...Array(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after]
  return filled
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
}
