import { expect, test } from 'vitest'
import { beyondLimits } from '../../src/alert/bounds.ts'
import { defaultLimits } from '../../src/model/limits.ts'

const limits = {
  ...defaultLimits,
  labelsPerAlert: 2,
  annotationsPerAlert: 2,
  nameBytes: 4,
  labelBytes: 6,
  annotationBytes: 8,
  alertBytes: 24,
}
const alert = (labels: Record<string, string>, annotations: Record<string, string> = {}, generatorURL = '') => ({
  labels: new Map(Object.entries(labels)),
  annotations: new Map(Object.entries(annotations)),
  generatorURL,
  startsAt: undefined,
  endsAt: undefined,
})

test.each([
  ['as many labels as may be', alert({ a: '1', b: '2' }), undefined],
  [
    'one label more',
    alert({ a: '1', b: '2', c: '3' }),
    'labels: there are 3 labels, at most 2 are taken (limits.labels_per_alert)',
  ],
  [
    'one annotation more',
    alert({ a: '1' }, { a: '1', b: '2', c: '3' }),
    'annotations: there are 3 annotations, at most 2 are taken (limits.annotations_per_alert)',
  ],
  ['a name as long as may be', alert({ abcd: '1' }), undefined],
  ['a longer one', alert({ abcde: '1' }), 'labels: a name has 5 bytes, at most 4 are taken (limits.name_bytes)'],
  ['a value as long as may be', alert({ a: '123456' }), undefined],
  [
    'a longer one, in bytes',
    alert({ a: 'ééé1' }),
    'labels.a: a value has 7 bytes, at most 6 are taken (limits.label_bytes)',
  ],
  ['an annotation has its own limit', alert({ a: '1' }, { a: '12345678' }), undefined],
  [
    'and may be longer than that',
    alert({ a: '1' }, { a: '123456789' }),
    'annotations.a: a value has 9 bytes, at most 8 are taken (limits.annotation_bytes)',
  ],
  ['all together as long as may be', alert({ a: '123456', b: '123456' }, { a: '12345678' }, '1'), undefined],
  [
    'and longer',
    alert({ a: '123456', b: '123456' }, { a: '12345678' }, '12'),
    'the alert has 25 bytes, at most 24 are taken (limits.alert_bytes)',
  ],
])('%s', (_what, given, message) => {
  expect(beyondLimits(given, limits)?.answer.message).toBe(message)
})

test('what the documents of others call large is far within the defaults', () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`label_${n}`, 'x'.repeat(1000)]))
  expect(beyondLimits(alert(many, { description: 'x'.repeat(1_000_000) }), defaultLimits)).toBeUndefined()
})
