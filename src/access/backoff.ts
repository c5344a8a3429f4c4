/** Wrong passwords that cost nothing yet. */
const FREE = 5
const FIRST = 1000
const LONGEST = 5 * 60_000
/** After so long without another the count begins anew, ms. */
const FORGOTTEN = 15 * 60_000
const MOST = 10_000

interface Guesses {
  wrong: number
  last: number // when the last wrong one began
  running: Set<{ at: number }>
}

/**
 * Wrong logins by address: after five each one more doubles how long no password from there is looked at, to five minutes
 * at the most. By address and not by user: else whoever knows a name could lock its owner out. Instants in ms of a clock
 * that never goes back.
 */
export class Backoff {
  readonly #guesses = new Map<string, Guesses>()

  /** How long no password from an address is looked at, ms; 0 where it is. */
  wait(address: string, at: number): number {
    const found = this.#guesses.get(address)
    if (!found) return 0
    const count = (at - found.last < FORGOTTEN ? found.wrong : 0) + found.running.size
    if (count < FREE) return 0
    const last = Math.max(found.last, ...[...found.running].map((one) => one.at))
    return Math.max(0, last + Math.min(FIRST * 2 ** (count - FREE), LONGEST) - at)
  }

  /**
   * A password is looked at. It counts as wrong from here on, or many at once would count as one; returns how to say what
   * it was, which takes back what was not wrong.
   */
  begin(address: string, at: number): (outcome: 'wrong' | 'right') => void {
    const mine = this.#guesses.get(address) ?? { wrong: 0, last: Number.NEGATIVE_INFINITY, running: new Set() }
    this.#guesses.delete(address) // to the end of the order
    this.#guesses.set(address, mine)
    const [oldest] = this.#guesses.size > MOST ? this.#guesses.keys() : []
    if (oldest !== undefined) this.#guesses.delete(oldest)
    const one = { at }
    mine.running.add(one)
    return (outcome) => {
      mine.running.delete(one)
      if (outcome === 'wrong') {
        mine.wrong = at - mine.last < FORGOTTEN ? mine.wrong + 1 : 1
        mine.last = Math.max(mine.last, at)
      }
      const isNothing = mine.wrong === 0 && mine.running.size === 0
      if (isNothing && this.#guesses.get(address) === mine) this.#guesses.delete(address)
    }
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
