import type { Fault, RawAlert } from '../alert/normalise.ts'
import { type Instant, parseInstant, zeroTime } from '../model/instant.ts'

/** The zero time's instant: what senders write for "no time". */
const none = parseInstant(zeroTime)?.at

/**
 * An alert from parsed JSON, by hand: a schema library costs twenty times as much here.
 * Unknown fields are ignored.
 */
export function readAlert(value: unknown): RawAlert | Fault {
  if (!isObject(value)) return { field: '', reason: `must be an object, not ${kindOf(value)}` }
  if (value['labels'] === undefined || value['labels'] === null) return { field: 'labels', reason: 'is required' }
  const labels = readLabels(value['labels'], 'labels')
  if ('reason' in labels) return labels
  const annotations = readLabels(value['annotations'] ?? {}, 'annotations')
  if ('reason' in annotations) return annotations
  const startsAt = readTime(value['startsAt'], 'startsAt')
  if (startsAt && 'reason' in startsAt) return startsAt
  const endsAt = readTime(value['endsAt'], 'endsAt')
  if (endsAt && 'reason' in endsAt) return endsAt
  const generatorURL = value['generatorURL'] ?? ''
  if (typeof generatorURL !== 'string') {
    return { field: 'generatorURL', reason: `must be a string, not ${kindOf(generatorURL)}` }
  }
  return { labels: labels.map, annotations: annotations.map, startsAt, endsAt, generatorURL }
}

function readLabels(value: unknown, field: string): { map: Map<string, string> } | Fault {
  if (!isObject(value)) return { field, reason: `must be an object of strings, not ${kindOf(value)}` }
  const map = new Map<string, string>()
  for (const name of Object.keys(value)) {
    const text = value[name]
    if (typeof text !== 'string') return { field: `${field}.${name}`, reason: `must be a string, not ${kindOf(text)}` }
    map.set(name, text)
  }
  return { map }
}

function readTime(value: unknown, field: string): Instant | undefined | Fault {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string')
    return { field, reason: `must be a time such as 2026-01-02T15:04:05Z, not ${kindOf(value)}` }
  const instant = parseInstant(value)
  if (!instant) return { field, reason: `${quote(value)} is not a time; write it as 2026-01-02T15:04:05Z` }
  return instant.at === none ? undefined : instant
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value as an error names it, never the value itself beyond a word or a number. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** What was given, as far as fits in a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
