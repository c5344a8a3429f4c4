import { expect, test } from 'vitest'
import { openRecent } from '../../src/model/recent.ts'

test('holds what was written or read last, and never more than it may', () => {
  const recent = openRecent<number, string>(10)
  for (let n = 0; n < 100; n++) {
    recent.set(n, `${n}`)
    expect(recent.get(0)).toBe('0') // read again and again
  }
  const held = Array.from({ length: 100 }, (_none, n) => n).filter((n) => n > 0 && recent.get(n) !== undefined)
  expect(held.length).toBeLessThan(10)
  expect(held).toContain(99)
  expect(held).not.toContain(1)
})

test('a value that is written anew is the new one, and what is let go of is gone from both halves', () => {
  const recent = openRecent<string, number>(4)
  for (const [n, key] of ['a', 'b', 'c', 'a'].entries()) recent.set(key, n)
  expect(recent.get('a')).toBe(3)
  for (const key of ['a', 'b', 'c']) recent.delete(key)
  expect(['a', 'b', 'c'].map((key) => recent.get(key))).toEqual([undefined, undefined, undefined])
})
