import { useEffect, useState } from 'react'
import { openValue } from '../data/value.ts'

const clock = openValue(Date.now())
setInterval(() => clock.set(Date.now()), 5000)

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const today = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** How long something takes or has taken, in its largest unit: `45 s`, `12 min`, `3 h`, `5 d`. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return two(Math.floor(seconds / 3600), 'h', Math.floor((seconds % 3600) / 60), 'min')
  return two(Math.floor(seconds / 86_400), 'd', Math.floor((seconds % 86_400) / 3600), 'h')
}

function two(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`
}

/** An instant in the reader's own time; pointed at, in UTC. */
export function When({ at }: { at: string }) {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date().toDateString()
  return (
    <time dateTime={at} title={utc(date)}>
      {(isToday ? today : local).format(date)}
    </time>
  )
}

/** How long ago an instant was, or in how long it will be. */
export function Age({ at }: { at: string }) {
  clock.use() // says when to look again
  const date = new Date(at)
  const ms = Date.now() - date.getTime()
  return (
    <time dateTime={at} title={`${local.format(date)} · ${utc(date)}`}>
      {ms >= 0 ? lasting(ms) : `in ${lasting(-ms)}`}
    </time>
  )
}

function utc(date: Date): string {
  return `${date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '')} UTC`
}

/** The time, each `every` ms. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every)
    return () => clearInterval(timer)
  }, [every])
  return now
}
