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

/** Every moment of this kind that the work of the engine has so far. */
export function pointsOf({ proxy, channels }: Arena): Point[] {
  const own = [...proxy.counts.keys()].filter((name) => name === name.toLowerCase())
  const stops: Stop[] = ['before', 'after']
  return [
    ...own.flatMap((name) => stops.map((stop): Point => ({ at: 'command', name, stop }))),
    ...[...channels.keys()].flatMap((kind): Point[] => [
      { at: 'channel', kind, stop: 'read' },
      { at: 'channel', kind, stop: 'answered' },
    ]),
  ]
}

/** Ends the one engine with SIGKILL at the next such moment, after some that are let pass; false where none came in time. */
export async function killAt(point: Point, arena: Arena): Promise<boolean> {
  const [engine] = arena.engines
  if (!engine) throw new Error('there is no engine to kill')
  let skips = Math.floor(arena.random() * 3)
  let struck = false
  const strike = () => {
    struck = true
    // not at once: an engine that goes on without the answer has the time to show it
    setTimeout(() => engine.process.kill('SIGKILL'), arena.random() * 100)
  }
  const isIt = () => !struck && skips-- <= 0
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
      10_000,
    ).catch(() => {})
    if (!struck) return false
    await arena.kill(engine)
    return true
  } finally {
    arena.proxy.watch = undefined
    if (channel && usual) channel.behave = usual
  }
}

/** Some time under load, for the work to show what it consists of. */
export async function workFor(ms: number, arena: Arena): Promise<Point[]> {
  await sleep(ms)
  return pointsOf(arena)
}
