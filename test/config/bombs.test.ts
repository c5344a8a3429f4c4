import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtCli } from '../helpers/built.ts'
import { tempDir } from '../helpers/engine.ts'

// each in a process of its own, which must end by itself: what recurses or runs out of memory would end the engine

const run = (args: string[], input?: string) => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', input })
  return { status, signal, stdout, stderr }
}
/** Loads a file thrice: a second parse of deep nesting once ended the process (RegExpCompiler allocation failed). */
const loadThrice = (file: string) => {
  const module = JSON.stringify(join(builtCli(), '../config/load.js'))
  return run([
    '--input-type=module',
    '-e',
    `import { loadConfig } from ${module}
     for (const _ of [1, 2, 3]) try { loadConfig(${JSON.stringify(file)}, { env: {}, sandbox: false, channels: [] }) }
       catch (error) { if (error.name !== 'ConfigError') throw error; console.log(error.message.split('\\n')[0]) }`,
  ])
}

const DEEP = 'this nests deeper than 100 levels'
const plain = 'route: { receiver: r }\nreceivers: [{ name: r }]\n'
const laughs = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...[...'bcdefghij'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[i]}`).join()}]`),
].join('\n')

test.each([
  ['100,000 brackets', '['.repeat(100_000), `1:101: ${DEEP}`],
  ['100,000 brackets that close', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, `1:101: ${DEEP}`],
  ['4 million brackets', '['.repeat(4_000_000), `1:101: ${DEEP}`],
  ['brackets with quotes that hide their end', `a: ${'["]", '.repeat(20_000)}`, `1:599: ${DEEP}`],
  ['maps in maps', `a: ${'{a: '.repeat(50_000)}`, DEEP],
  ['keys in one line', 'a: '.repeat(20_000), DEEP],
  ['dashes', '- '.repeat(100_000), DEEP],
  ['indents', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), `101:101: ${DEEP}`],
  ['aliases of aliases', laughs, "1:1: the file's aliases unfold to more than 200000 parts"],
  ['an alias of itself', `${plain}templates: &a [*a]\n`, '3:16: templates.0.0: this alias stands in what it means'],
  ['10,000 documents: the first counts', `${plain}${'---\na: 1\n'.repeat(10_000)}`, undefined],
  ['references that do not end', `a: "${'${A:-'.repeat(400_000)}"`, `1:506: ${DEEP}`],
  ['a file too large', 'a: b # '.padEnd(5 * 1024 * 1024, 'x'), '1:1: the file is larger than 4 MiB'],
])('%s: an error with its place, each time', (_what, text, message) => {
  using dir = tempDir()
  const file = join(dir.path, 'bomb.yml')
  writeFileSync(file, text)
  const { status, signal, stdout, stderr } = loadThrice(file)
  expect([status, signal, stderr]).toEqual([0, null, ''])
  const lines = stdout.trim().split('\n')
  if (message === undefined) return expect(stdout).toBe('')
  expect(lines).toHaveLength(3)
  expect(new Set(lines).size).toBe(1)
  expect(lines[0]).toMatch(/^\S+bomb\.yml:\d+:\d+: /)
  expect(lines[0]).toContain(message)
})

test('one in an included file is told by that file', () => {
  using dir = tempDir()
  mkdirSync(join(dir.path, 'teams'))
  writeFileSync(join(dir.path, 'main.yml'), `${plain}include: [teams/*.yml]\n`)
  writeFileSync(join(dir.path, 'teams', 'bomb.yml'), '{'.repeat(100_000))
  const { status, stdout } = loadThrice(join(dir.path, 'main.yml'))
  expect([status, stdout.match(/teams\/bomb\.yml:1:101: this nests deeper/g)?.length]).toEqual([0, 3])
})

test('a file without an end is read to its limit', () => {
  const { status, stdout } = loadThrice('/dev/zero')
  expect([status, stdout.split('\n')[0]]).toEqual([0, '/dev/zero:1:1: the file is larger than 4 MiB'])
})

test('so is one of templates', () => {
  using dir = tempDir()
  const file = join(dir.path, 'main.yml')
  writeFileSync(join(dir.path, 'huge.tmpl'), 'x'.repeat(5 * 1024 * 1024))
  writeFileSync(file, `${plain}templates: ['*.tmpl']\n`)
  const { status, stdout } = loadThrice(file)
  const told = `${file}:3:13: templates.0: ${join(dir.path, 'huge.tmpl')} is larger than 4 MiB;`
  expect([status, stdout.split('\n')[0]]).toEqual([0, expect.stringContaining(told)])
})

test('what is sane stays: brackets in texts, comments, matchers and templates', () => {
  using dir = tempDir()
  const file = join(dir.path, 'sane.yml')
  const routes = Array.from({ length: 1500 }, (_, i) => `    - matchers: ['a=~"[(${i}"', "b='{'"] # [[ {{`)
  writeFileSync(
    file,
    `route:\n  receiver: r\n  routes:\n${routes.join('\n').replaceAll('[(', '[a](')}\nreceivers: [{ name: r }]\n`.replaceAll(
      /\((\d+)/g,
      '($1)',
    ),
  )
  expect(loadThrice(file)).toMatchObject({ status: 0, stderr: '' })
})

const deepJson = `${'['.repeat(100_000)}${']'.repeat(100_000)}`

test.each([
  ['template render --batch', ['template', 'render', '--batch'], `{"text":"x","data":{"alerts":${deepJson}}}`, 'false'],
  [
    'template render --batch, where nobody looks',
    ['template', 'render', '--batch'],
    `{"text":"x","more":${deepJson}}`,
    'true',
  ],
  ['template render --batch, a line that is no object', ['template', 'render', '--batch'], deepJson, 'false'],
  ['matchers parse --batch', ['matchers', 'parse', '--batch'], deepJson, 'false'],
  ['actions in actions', ['template', 'render', '--batch'], JSON.stringify({ text: '{{'.repeat(100_000) }), 'false'],
  ['ifs in ifs', ['template', 'render', '--batch'], JSON.stringify({ text: '{{if 1}}'.repeat(100_000) }), 'false'],
  ['parentheses', ['template', 'render', '--batch'], JSON.stringify({ text: `{{${'('.repeat(100_000)}` }), 'false'],
  [
    'nested calls of itself',
    ['template', 'render', '--batch'],
    JSON.stringify({ text: '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}' }),
    'false',
  ],
])('JSON and templates of 100,000 levels: %s', (_what, args, input, ok) => {
  const { signal, stdout, stderr } = run([builtCli(), ...args], `${input}\n`)
  expect([signal, stderr]).toEqual([null, ''])
  expect(stdout).toMatch(new RegExp(`^\\{"ok":${ok}`))
})
