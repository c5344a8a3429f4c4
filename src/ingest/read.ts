import type { Fault, RawAlert } from '../alert/normalise.ts'
import { type Instant, parseInstant, zeroTime } from '../model/instant.ts'
import { isRequestUri } from '../model/url.ts'
import { unparsableTime, unreadable } from './answer.ts'

/** A rule's alerts come together and have the same. */
let lastUrl = ''

/** The zero time's instant: what senders write for "no time". */
const none = parseInstant(zeroTime)?.at

/**
 * An alert from parsed JSON, by hand: a schema library costs twenty times as much here.
 * Unknown fields are ignored.
 */
export function readAlert(value: unknown): RawAlert | Fault {
  if (!isObject(value)) return wrongKind('', value, 'an object', 'Go value of type models.PostableAlert')
  const { generatorURL } = value
  if (generatorURL !== undefined && generatorURL !== null && typeof generatorURL !== 'string')
    return wrongKind('generatorURL', generatorURL, 'a string', 'Go value of type string')
  const annotations = readLabels(value['annotations'] ?? {}, 'annotations', '.')
  if ('reason' in annotations) return annotations
  const startsAt = readTime(value['startsAt'], 'startsAt')
  if (startsAt && 'reason' in startsAt) return startsAt
  const endsAt = readTime(value['endsAt'], 'endsAt')
  if (endsAt && 'reason' in endsAt) return endsAt
  const given = value['labels'] ?? undefined
  const labels = readLabels(given ?? {}, 'labels', 'Alert.')
  if ('reason' in labels) return labels
  if (given === undefined)
    return { field: 'labels', reason: 'is required', answer: { code: 602, message: 'labels in body is required' } }
  if (generatorURL && generatorURL !== lastUrl && !isRequestUri(generatorURL)) {
    const message = `generatorURL in body must be of type uri: ${JSON.stringify(generatorURL)}`
    const reason = `${quote(generatorURL)} is no URL; write it as https://host/path or /path`
    return { field: 'generatorURL', reason, answer: { code: 601, message } }
  }
  lastUrl = generatorURL ?? ''
  return { labels: labels.map, annotations: annotations.map, startsAt, endsAt, generatorURL: generatorURL ?? '' }
}

function wrongKind(field: string, value: unknown, wanted: string, place: string): Fault {
  return { field, reason: `must be ${wanted}, not ${kindOf(value)}`, answer: unreadable(value, place) }
}

/** A null is an empty text, as Go has it. */
function readLabels(value: unknown, field: string, struct: string): { map: Map<string, string> } | Fault {
  if (!isObject(value))
    return wrongKind(field, value, 'an object of strings', `Go struct field ${struct}${field} of type models.LabelSet`)
  const map = new Map<string, string>()
  for (const name of Object.keys(value)) {
    const text = value[name] ?? ''
    if (typeof text !== 'string') {
      const place = `Go struct field ${struct}${field}.${name} of type string`
      return wrongKind(`${field}.${name}`, text, 'a string', place)
    }
    map.set(name, text)
  }
  return { map }
}

function readTime(value: unknown, field: string): Instant | undefined | Fault {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string')
    return wrongKind(field, value, 'a time such as 2026-01-02T15:04:05Z', 'Go value of type string')
  const instant = parseInstant(value)
  if (!instant) {
    const reason = `${quote(value)} is not a time; write it as 2026-01-02T15:04:05Z`
    return { field, reason, answer: unparsableTime(value) }
  }
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
