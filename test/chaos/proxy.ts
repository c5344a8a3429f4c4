import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { type AddressInfo, type NetConnectOpts, type Socket, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Frame, commandAt, replyEnd } from './resp.ts'

/** A command that passes: what it is called, as `HSET`, or `accept` for one of Tocsin's own scripts. */
export interface Passing {
  name: string
  nth: number // of its name, from 1
}

/** Where a command is stopped: before Redis has it, or after Redis has done it and before its answer is told. */
export type Stop = 'before' | 'after'

export interface Proxy extends AsyncDisposable {
  /** For an engine: `redis://127.0.0.1:port`. */
  url: string
  /** How many connections there have been. */
  connections: number
  /** How many commands of each name have passed. */
  counts: ReadonlyMap<string, number>
  /** Says of each command whether it is to be stopped, and what strikes; the connection stays silent after it. */
  watch: ((passing: Passing) => { stop: Stop; strike: () => unknown } | undefined) | undefined
  /** Added on the way to Redis and on the way back, ms. */
  delay: number
  /** The share of chunks at which the connection is lost instead, and where chance comes from. */
  loss: number
  random: () => number
  /** What comes from there goes nowhere; connections stay. */
  blackhole: 'requests' | 'answers' | undefined
  /** The next answer ends in its middle, with a reset. */
  resetMidReply: boolean
  /** Where connections lead that are made from now on. */
  upstream: NetConnectOpts
  /** Ends all connections and takes no more, until `mend`. */
  cut(): void
  mend(): void
}

/** Names of Tocsin's scripts by their SHA-1, of an engine's own files. */
export function scriptNames(dist: string): Map<string, string> {
  const dir = join(dist, 'store')
  const read = (name: string) => readFileSync(join(dir, `${name}.lua`), 'utf8')
  const names = readdirSync(dir).flatMap((file) => (file.endsWith('.lua') ? [file.slice(0, -4)] : []))
  return new Map(
    names.map((name) => {
      const whole = read(name).replace(/^--- with (\S+)$/gm, (_line, other: string) => read(other))
      return [createHash('sha1').update(whole).digest('hex'), name]
    }),
  )
}

/**
 * A TCP proxy of our own between an engine and its Redis, which understands what passes; without `scripts` it does not, as
 * between a Redis and its replica, and only carries and cuts.
 */
export async function openProxy(upstream: NetConnectOpts, scripts?: ReadonlyMap<string, string>): Promise<Proxy> {
  const counts = new Map<string, number>()
  const pairs = new Set<{ client: Socket; redis: Socket }>()
  let isCut = false

  const server = createServer({ noDelay: true }, (client) => {
    proxy.connections += 1
    if (isCut) return void client.resetAndDestroy()
    const redis = connect(proxy.upstream)
    const pair = { client, redis }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      redis.destroy()
    }
    for (const socket of [client, redis]) socket.on('error', end).on('close', end)
    if (scripts) carry(client, redis, end, scripts)
    else client.pipe(redis).pipe(client)
  })

  function carry(client: Socket, redis: Socket, end: () => void, known: ReadonlyMap<string, string>): void {
    let asked: Frame = Buffer.alloc(0)
    let told: Frame = Buffer.alloc(0)
    let waiting = 0 // commands that Redis has and has not answered
    let stopAt: { answers: number; name: string; strike: () => unknown } | undefined
    let again: { name: string; strike: () => unknown } | undefined // Redis did not know the script: it comes whole
    let isSilent = false

    client.on('data', (chunk: Buffer) => {
      if (isSilent || proxy.blackhole === 'requests') return
      asked = Buffer.concat([asked, chunk])
      for (let command = commandAt(asked); command; command = commandAt(asked)) {
        const bytes = asked.subarray(0, command.end)
        asked = asked.subarray(command.end)
        const name = nameOf(command.words, known)
        const nth = (counts.get(name) ?? 0) + 1
        counts.set(name, nth)
        const stop: ReturnType<NonNullable<Proxy['watch']>> =
          again?.name === name ? { stop: 'after', strike: again.strike } : proxy.watch?.({ name, nth })
        if (again?.name === name) again = undefined
        if (stop?.stop === 'before') {
          isSilent = true
          stop.strike()
          return
        }
        waiting += 1
        if (stop) stopAt = { answers: waiting, name, strike: stop.strike }
        pass(redis, bytes)
      }
    })
    redis.on('data', (chunk: Buffer) => {
      if (isSilent || proxy.blackhole === 'answers') return
      told = Buffer.concat([told, chunk])
      let done = 0
      for (let next = replyEnd(told, done); next !== undefined; next = replyEnd(told, done)) {
        if (told[done] !== 0x3e) {
          // a push answers no command
          waiting -= 1
          if (stopAt && (stopAt.answers -= 1) === 0) {
            if (!told.subarray(done, next).toString('latin1').startsWith('-NOSCRIPT')) {
              isSilent = true
              stopAt.strike()
              break
            }
            again = stopAt
            stopAt = undefined
          }
        }
        done = next
      }
      const whole = told.subarray(0, done)
      told = told.subarray(done)
      if (whole.length === 0) return
      if (proxy.resetMidReply) {
        proxy.resetMidReply = false
        client.write(whole.subarray(0, Math.ceil(whole.length / 2)), () => client.resetAndDestroy())
        return
      }
      pass(client, whole)
    })
    function pass(to: Socket, bytes: Buffer): void {
      if (proxy.loss > 0 && proxy.random() < proxy.loss) return end()
      const copy = Buffer.from(bytes)
      if (proxy.delay === 0) to.write(copy)
      else void sleep(proxy.delay).then(() => to.destroyed || to.write(copy))
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: Proxy = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: 0,
    counts,
    watch: undefined,
    delay: 0,
    loss: 0,
    random: () => 1,
    blackhole: undefined,
    resetMidReply: false,
    upstream,
    cut() {
      isCut = true
      for (const { client, redis } of pairs) {
        client.resetAndDestroy()
        redis.destroy()
      }
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      proxy.cut()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

function nameOf([verb = '', first = '']: string[], scripts: ReadonlyMap<string, string>): string {
  const upper = verb.toUpperCase()
  if (upper === 'EVALSHA') return scripts.get(first.toLowerCase()) ?? 'another script'
  if (upper === 'EVAL') return scripts.get(createHash('sha1').update(first).digest('hex')) ?? 'another script'
  return upper
}
