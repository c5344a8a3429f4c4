import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { glob, isPattern } from '../../../src/config/read/glob.ts'
import { load, problemsOf } from '../../helpers/config.ts'

const names = ['a', 'b', 'ab', 'a-', '-', ']', '[', '*', '\\', '^', 'é', '😀', '.a', 'a.b']
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tocsin-[glob-'))
  for (const name of names) writeFileSync(join(dir, name), '')
  mkdirSync(join(dir, 'in'))
  writeFileSync(join(dir, 'in', 'a.tmpl'), '')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

// https://pkg.go.dev/path/filepath#Match
test.each([
  ['a', ['a']],
  ['a*', ['a', 'a-', 'a.b', 'ab']],
  ['*b', ['a.b', 'ab', 'b']],
  ['?', ['*', '-', '[', '\\', ']', '^', 'a', 'b', 'é', '😀']],
  ['[ab]', ['a', 'b']],
  ['[a-b]', ['a', 'b']],
  ['[b-a]', []],
  ['[^a]', ['*', '-', '[', '\\', ']', '^', 'b', 'é', '😀']],
  ['[^a-z]', ['*', '-', '[', '\\', ']', '^', 'é', '😀']],
  ['[a^]', ['^', 'a']],
  ['[\\^a]', ['^', 'a']],
  ['[\\]]', [']']],
  ['[\\-]', ['-']],
  ['[\\\\]', ['\\']],
  ['[[]', ['[']],
  ['[!a]', ['a']],
  ['[é-😀]', ['é', '😀']],
  [']', [']']],
  ['\\*', ['*']],
  ['\\[', ['[']],
  ['\\a', ['a']],
  ['a.b', ['a.b']],
  ['*/*.tmpl', ['in/a.tmpl']],
  ['in/../in/[^b]*.tmpl', ['in/a.tmpl']],
  ['none/*', []],
  ['a/*', []],
  ['none', []],
])('%s', (pattern, wanted) => {
  const found = glob(pattern, dir, (message) => expect.unreachable(message))
  expect(found).toEqual(wanted.map((name) => join(dir, name)))
  expect(isPattern(pattern)).toBe(true)
})

test.each([
  '[',
  '[a',
  '[]',
  '[]a]',
  '[^]',
  '[^]a]',
  '[-]',
  '[-a]',
  '[a-]',
  '[a-',
  '[a-]b]',
  '[\\',
  'a\\',
  'x/[a/b',
  '[a/b]',
])('%s is no pattern', (pattern) => {
  expect(isPattern(pattern)).toBe(false)
  expect(problemsOf(`templates: [a, '${pattern}']\nroute: { receiver: a }\nreceivers: [{ name: a }]\n`)).toEqual([
    expect.stringMatching(/^1:16 templates\.1: is no pattern of file names/),
  ])
  expect(problemsOf(`include: ['${pattern}']\nroute: { receiver: a }\nreceivers: [{ name: a }]\n`)).toEqual([
    expect.stringMatching(/^1:11 include\.0: is no pattern of file names/),
  ])
})

test('a pattern that nothing matches is none of a file’s mistakes', () => {
  load("templates: ['none-[^a]*.tmpl']\nroute: { receiver: a }\nreceivers: [{ name: a }]\n")
})

test('a folder that cannot be read is told', () => {
  symlinkSync('loop', join(dir, 'loop')) // also for root
  const told: string[] = []
  expect(glob('loop/*.tmpl', dir, (message) => told.push(message))).toEqual([])
  expect(told).toEqual([`${join(dir, 'loop')} cannot be read: ELOOP`])
})
