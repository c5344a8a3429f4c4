import { expect, test } from 'vitest'
import { openGate } from '../../src/api/gate.ts'

/** Work that ends when it is told to. */
function work() {
  let end = () => {}
  const done = new Promise<void>((resolve) => (end = resolve))
  const one = { isRunning: false, end, run: () => ((one.isRunning = true), done) }
  return one
}
const turn = () => new Promise((done) => setImmediate(done))
const refused = new Error('refused')

test('so much at once, the rest in its order', async () => {
  const gate = openGate(10, 60_000, () => refused)
  const jobs = [work(), work(), work(), work()]
  const weights = [6, 6, 2, 100]
  const all = jobs.map((job, i) => gate.pass(weights[i] ?? 0, job.run))
  await turn()
  expect(jobs.map(({ isRunning }) => isRunning)).toEqual([true, false, false, false])
  expect(gate.backlog).toBe(108)
  jobs[0]?.end()
  await turn()
  expect(jobs.map(({ isRunning }) => isRunning)).toEqual([true, true, true, false])
  jobs[1]?.end()
  jobs[2]?.end()
  await turn()
  expect(jobs[3]?.isRunning).toBe(true) // heavier than all, it goes by itself
  jobs[3]?.end()
  await Promise.all(all)
  expect(gate.backlog).toBe(0)
})

test('who waits too long is refused, and those behind are not held up by it', async () => {
  const gate = openGate(10, 50, () => refused)
  const [first, heavy] = [work(), work()]
  const running = gate.pass(6, first.run)
  await expect(gate.pass(6, heavy.run)).rejects.toBe(refused)
  expect(heavy.isRunning).toBe(false)
  await gate.pass(4, async () => {})
  first.end()
  await running
})

test('what fails makes room, too', async () => {
  const gate = openGate(1, 1000, () => refused)
  await expect(gate.pass(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await gate.pass(1, async () => {})
})
