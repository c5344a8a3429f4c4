import type { Limits } from '../model/limits.ts'
import { limitKeys } from '../model/limits.ts'
import type { Fault, RawAlert } from './normalise.ts'

/** Which limit an alert is beyond; undefined where it is within all of them. Before anything is worked out about it. */
export function beyondLimits({ labels, annotations, generatorURL }: RawAlert, limits: Limits): Fault | undefined {
  if (labels.size > limits.labelsPerAlert) return tooMany('labels', labels.size, 'labelsPerAlert', limits)
  if (annotations.size > limits.annotationsPerAlert)
    return tooMany('annotations', annotations.size, 'annotationsPerAlert', limits)
  let length = generatorURL.length
  for (const [field, map, most] of [
    ['labels', labels, 'labelBytes'],
    ['annotations', annotations, 'annotationBytes'],
  ] as const) {
    for (const [name, value] of map) {
      if (isLarger(name, limits.nameBytes)) return tooLong(field, 'name', name, 'nameBytes', limits)
      if (isLarger(value, limits[most])) return tooLong(`${field}.${name}`, 'value', value, most, limits)
      length += name.length + value.length
    }
  }
  if (length * WIDEST <= limits.alertBytes) return undefined
  const texts = [generatorURL, ...[labels, annotations].flatMap((map) => [...map].flat())]
  const bytes = texts.reduce((sum, text) => sum + bytesOf(text), 0)
  if (bytes <= limits.alertBytes) return undefined
  return fault('', `the alert has ${bytes} bytes, at most ${limits.alertBytes} are taken`, 'alertBytes')
}

/** How many bytes of UTF-8 a UTF-16 unit comes to at the most. */
const WIDEST = 3
const encoder = new TextEncoder()

function isLarger(text: string, most: number): boolean {
  return text.length * WIDEST > most && bytesOf(text) > most
}

function bytesOf(text: string): number {
  return encoder.encode(text).length
}

function tooMany(field: 'labels' | 'annotations', count: number, limit: keyof Limits, limits: Limits): Fault {
  return fault(field, `there are ${count} ${field}, at most ${limits[limit]} are taken`, limit)
}

function tooLong(field: string, what: 'name' | 'value', text: string, limit: keyof Limits, limits: Limits): Fault {
  const place = field.length > 100 ? `${field.slice(0, 100)}…` : field
  return fault(place, `a ${what} has ${bytesOf(text)} bytes, at most ${limits[limit]} are taken`, limit)
}

function fault(field: string, what: string, limit: keyof Limits): Fault {
  const reason = `${what} (limits.${limitKeys[limit]})`
  return { field, reason, answer: { code: 'rule', message: field ? `${field}: ${reason}` : reason } }
}
