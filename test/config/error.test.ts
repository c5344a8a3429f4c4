import { describe, expect, test } from 'vitest'
import { Problems } from '../../src/config/error.ts'
import { problemsOf } from '../helpers/config.ts'

const problem = (line: number, column = 1) => ({ file: 'f', line, column, path: `p${line}`, message: 'is wrong' })

describe('of a file’s problems a hundred are kept', () => {
  test.each([
    [100, undefined],
    [101, 'and 1 more that are wrong in this file'],
    [5000, 'and 4900 more that are wrong in this file'],
  ])('of %i', (count, wanted) => {
    const problems = new Problems()
    for (let line = 1; line <= count; line++) problems.push(problem(line))
    expect(problems[99]).toEqual(problem(100))
    expect(problems.slice(100)).toEqual(
      wanted === undefined ? [] : [{ file: 'f', line: count, column: 1, path: '', message: wanted }],
    )
  })

  test('the count stands behind all of them, in whatever order they came', () => {
    const problems = new Problems()
    problems.push(problem(9000, 7), ...Array.from({ length: 200 }, (_, i) => problem(i + 1)))
    expect(problems.at(-1)).toMatchObject({ line: 9000, column: 7, message: expect.stringContaining('and 101 more') })
  })

  test.each([
    ['keys', (i: number) => `recievers${i}: 1\n`, ''],
    ['variables', () => '- ${A}\n', 'a:\n'],
    ['routes', (i: number) => `  - { receiver: r${i} }\n`, 'route:\n  routes:\n'],
  ])('20,000 wrong %s are told in no time', (_what, itemOf, before) => {
    const found = problemsOf(before + Array.from({ length: 20_000 }, (_, i) => itemOf(i)).join(''))
    expect(found).toHaveLength(101)
    expect(found.at(-1)).toMatch(/: and [12]\d{4} more/)
  })

  test('a variable that is not set is told once of a text', () => {
    expect(
      problemsOf(
        `global: { smtp_hello: "${'${A}'.repeat(300_000)}" }\nroute: { receiver: a }\nreceivers: [{ name: a }]\n`,
      ),
    ).toHaveLength(1)
  })
})
