import type { LookupAddress } from 'node:dns'
import { lookup as ask } from 'node:dns/promises'
import { type LookupFunction, isIP } from 'node:net'
import { type Egress, whyRefused } from '../model/egress.ts'

/** More at a time would keep libuv's threads from everything else: a name server that hangs holds each for half a minute. */
const MOST_LOOKUPS = 4
/** As long as a connection may take. ms */
export const PATIENCE = 5000

export type Resolve = (host: string) => Promise<LookupAddress[]>

/** Nothing was sent, since nothing may be sent there. The message names no address. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  readonly code = 'EGRESS'
}

/** Asks the name servers of the system, for the same name once at a time, and for few names at once. */
export function openResolver(
  resolve: Resolve = (host) => ask(host, { all: true }),
  { most = MOST_LOOKUPS, patience = PATIENCE } = {},
): Resolve {
  const pending = new Map<string, Promise<LookupAddress[]>>()
  const waiting: (() => void)[] = []
  let running = 0

  function begin(host: string): Promise<LookupAddress[]> {
    return new Promise((done, reject) => {
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        if (waiting.includes(start)) waiting.splice(waiting.indexOf(start), 1)
        reject(Object.assign(new Error('no answer from the name server'), { code: 'ETIMEOUT' }))
      }, patience)
      const start = () => {
        running += 1
        void resolve(host)
          .then(done, reject)
          .finally(() => {
            running -= 1
            if (!isLate) clearTimeout(timer)
            waiting.shift()?.()
          })
      }
      if (running < most) start()
      else waiting.push(start)
    })
  }

  return (host) => {
    const known = pending.get(host)
    if (known) return known
    const asked = begin(host).finally(() => pending.delete(host))
    pending.set(host, asked)
    return asked
  }
}

/** `lookup` for sockets: only addresses that something may be sent to. Whoever connects uses what was checked here. */
export function guardedLookup(resolve: Resolve, egress: Egress, literal: boolean): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (found) => {
        const wanted = found.filter(({ family }) => !options.family || options.family === family)
        const allowed = wanted.filter(({ address }) => whyRefused(address, egress, literal) === undefined)
        const [first] = allowed
        if (!first) {
          const why = wanted.map(({ address }) => whyRefused(address, egress, literal)).find(Boolean)
          const nothing = Object.assign(new Error('no address of the family asked for'), { code: 'ENOTFOUND' })
          done(why === undefined ? nothing : new AddressRefused(why), [])
        } else if (options.all) done(null, allowed)
        else done(null, first.address, first.family)
      },
      (error: unknown) => done(error instanceof Error ? error : new Error('lookup failed'), []),
    )
  }
}

/** What keeps a host that is an address from being connected to: for these no `lookup` is called. */
export function refusalOf(host: string, egress: Egress, literal: boolean): AddressRefused | undefined {
  if (isIP(host) === 0) return undefined
  const why = whyRefused(host, egress, literal)
  return why === undefined ? undefined : new AddressRefused(why)
}
