import { expect, test } from 'vitest'
import { type Shelf, openShelf } from '../../src/api/shelf.ts'

const full = new Error('full')
const shelfOf = (most: number) =>
  openShelf(
    () => most,
    () => full,
    () => {},
  )

/** A body on a shelf that notes whether it was given up. */
function bodyOn(shelf: Shelf) {
  const body = { isGivenUp: false, place: shelf.open(() => (body.isGivenUp = true)) }
  return body
}

test('whoever comes last gives way, so that those before come to their end', () => {
  const shelf = shelfOf(100)
  const [first, second, third] = [bodyOn(shelf), bodyOn(shelf), bodyOn(shelf)]
  for (const body of [first, second, third]) body.place.put(30)
  first.place.put(30)
  expect([first, second, third].map(({ isGivenUp }) => isGivenUp)).toEqual([false, false, true])
  expect(() => second.place.put(30)).toThrow(full)
})

test('what is read is not given up', () => {
  const shelf = shelfOf(100)
  const [first, second] = [bodyOn(shelf), bodyOn(shelf)]
  second.place.put(50)
  second.place.complete()
  first.place.put(50)
  expect(() => first.place.put(1)).toThrow(full)
  expect(second.isGivenUp).toBe(false)
  second.place.clear()
  first.place.put(1)
})

test('one by itself is never too much; what is cleared makes room, once', () => {
  const shelf = shelfOf(10)
  const { place } = bodyOn(shelf)
  place.put(1000)
  expect(shelf.used).toBe(1000)
  place.clear()
  place.clear()
  place.put(5) // its request is gone
  expect(shelf.used).toBe(0)
})
