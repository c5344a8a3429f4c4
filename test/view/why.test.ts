import { expect, test } from 'vitest'
import { outcomeOf } from '../../src/view/why.ts'

const at = '2026-11-26T03:00:00.000Z'
const nothing = { told: null, verdict: null, owed: null, givenUpAt: null }
const told = { at, firing: true }
const owed = { state: 'owed' as const, attempt: 0, dueAt: at, waitsFor: '', said: '' }

test.each<[string, Parameters<typeof outcomeOf>, string]>([
  ['nobody sent it', [nothing, undefined, false], 'would be told'],
  ['nobody sent it, and it is silenced', [nothing, 'silenced by 1', false], 'would not be told: silenced by 1'],
  ['its group was not looked at', [nothing, undefined, true], 'not decided yet: its group has not been flushed'],
  ['there is no news', [{ ...nothing, verdict: { at, word: 'no news' } }, undefined, true], 'not told: no news'],
  ['it was told', [{ ...nothing, told }, undefined, true], `told at ${at} that it fires`],
  [
    'it was told and is silenced now',
    [{ ...nothing, told }, 'silenced by 1', true],
    `told at ${at} that it fires; quiet now: silenced by 1`,
  ],
  ['it is inhibited', [nothing, 'inhibited by a', true], 'not told: inhibited by a'],
  ['it is about to leave', [{ ...nothing, owed }, undefined, true], `owed, ${at}: it is about to leave`],
  [
    'it waits for its budget',
    [{ ...nothing, owed: { ...owed, waitsFor: 'the budget of its destination' } }, undefined, true],
    `owed, ${at}: the budget of its destination`,
  ],
  [
    'it is tried again',
    [{ ...nothing, owed: { ...owed, attempt: 2, said: '503' } }, undefined, true],
    `owed, ${at}: it is tried again; the last attempt: 503`,
  ],
  ['it is on its way', [{ ...nothing, owed: { ...owed, state: 'sending' } }, undefined, true], 'being sent now'],
  ['it was given up', [{ ...nothing, givenUpAt: at }, undefined, true], `given up at ${at}; it is in the dead letters`],
])('%s', (_case, given, sentence) => {
  expect(outcomeOf(...given)).toBe(sentence)
})
