import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../helpers/engine.ts'
import type { Arena } from './arena.ts'
import type { Stop } from './proxy.ts'
import type { Kind } from './ledger.ts'

/** An exact moment at which an engine can end. */
export type Point =
  | { at: 'command'; name: string; stop: Stop }
  | { at: 'channel'; kind: Kind; stop: 'read' | 'answered' }

export const nameOf = (point: Point): string =>
  point.at === 'command'
    ? `${point.stop} Redis has done ${point.name}`
    : `after ${point.kind} has ${point.stop === 'read' ? 'read a request' : 'answered'}`

/** Every moment of this kind that the work of the engine has shown for some ms, again and again. */
export async function pointsOf({ proxy, channels }: Arena, ms: number): Promise<Point[]> {
  const before = new Map(proxy.counts)
  await sleep(ms)
  const own = [...proxy.counts.keys()].filter(
    (name) => name === name.toLowerCase() && (proxy.counts.get(name) ?? 0) - (before.get(name) ?? 0) > 5,
  )
  const stops: Stop[] = ['before', 'after']
  return [
    ...own.flatMap((name) => stops.map((stop): Point => ({ at: 'command', name, stop }))),
    ...[...channels.keys()].flatMap((kind): Point[] => [
      { at: 'channel', kind, stop: 'read' },
      { at: 'channel', kind, stop: 'answered' },
    ]),
  ]
}

/** Ends the one engine with SIGKILL at such a moment, after so many that are let pass; false where none came in time. */
export async function killAt(point: Point, arena: Arena, passes: number): Promise<boolean> {
  const [engine] = arena.engines
  if (!engine) throw new Error('there is no engine to kill')
  let left = passes
  let struck = false
  const strike = () => {
    struck = true
    // not at once: an engine that goes on without the answer has the time to show it
    setTimeout(() => engine.process.kill('SIGKILL'), 200 + arena.random() * 200)
  }
  const isIt = () => !struck && left-- <= 0
  const channel = point.at === 'channel' ? arena.channels.get(point.kind) : undefined
  const usual = channel?.behave
  if (point.at === 'command')
    arena.proxy.watch = ({ name }) => (name === point.name && isIt() ? { stop: point.stop, strike } : undefined)
  else if (channel && usual)
    channel.behave = (request) => {
      if (!isIt()) return usual(request)
      return point.stop === 'read' ? { does: 'run', what: strike } : { does: 'ok', afterwards: strike }
    }
  try {
    await eventually(
      async () => struck,
      (done) => done,
      30_000,
    ).catch(() => {})
    if (!struck) return false
    await arena.kill(engine)
    return true
  } finally {
    arena.proxy.watch = undefined
    if (channel && usual) channel.behave = usual
  }
}
