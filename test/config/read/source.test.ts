import { expect, test } from 'vitest'
import { readSource } from '../../../src/config/read/source.ts'
import { fileOf, load, problemsOf } from '../../helpers/config.ts'

/** ms of work: the machine may have other things to do. */
function cpuSince(start: NodeJS.CpuUsage): number {
  return process.cpuUsage(start).user / 1000
}

const plain = 'route: { receiver: r }\nreceivers: [{ name: r }]\n'

test.each<[what: string, content: string | Uint8Array]>([
  ['CRLF', plain.replaceAll('\n', '\r\n')],
  ['a byte order mark', `\ufeff${plain}`],
  ['UTF-16, little end first', new Uint8Array(Buffer.from(`\ufeff${plain}`, 'utf16le'))],
  ['UTF-16, big end first', new Uint8Array(Buffer.from(`\ufeff${plain}`, 'utf16le').swap16())],
])('%s does no harm', (_what, content) => {
  expect(load(content).route.receiver).toBe('r')
})

const doubling = Array.from({ length: 30 }, (_, i) => `k${i}: &a${i} [${i ? `*a${i - 1}, *a${i - 1}` : 'x'}]`)

test.each<[what: string, content: string | Uint8Array, wanted: string]>([
  ['binary', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1]), '1:1 : the control character U+007F'],
  ['NUL', `${plain}# \u0000`, '3:3 : the control character U+0000 may not stand in a YAML file; remove it'],
  [
    'Latin-1',
    new Uint8Array(Buffer.from(`# é\n${plain}`, 'latin1')),
    '1:3 : this is no text: byte 0xE9 belongs to no UTF-8',
  ],
  ['UTF-16 without its mark', new Uint8Array(Buffer.from(plain, 'utf16le')), 'the control character U+0000'],
  ['aliases that double', doubling.join('\n'), "the file's aliases unfold to more than 200000 parts"],
  ['brackets', `a: ${'['.repeat(50_000)}`, '1:104 : this nests deeper than 100 levels'],
  ['dashes', '- '.repeat(50_000), 'this nests deeper than 100 levels'],
  ['question marks', '? '.repeat(50_000), 'this nests deeper than 100 levels'],
  ['indents', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'this nests deeper than 100'],
  [
    'aliases that nest',
    Array.from({ length: 60 }, (_, i) => `k${i}: &a${i} [[ ${i ? `*a${i - 1}` : 'x'} ]]`).join('\n'),
    "the file's aliases nest deeper than 100 levels",
  ],
  ['5 MiB', 'a: b # '.padEnd(5 * 1024 * 1024, 'x'), 'the file is larger than 4 MiB'],
  ['a text', 'hello', 'the file must hold a map of keys and values'],
])('%s: a clear error, at once', (_what, content, wanted) => {
  const start = process.cpuUsage()
  expect(problemsOf(content).join('\n')).toContain(wanted)
  expect(cpuSince(start)).toBeLessThan(2000)
})

test.each([
  ['keys', Array.from({ length: 20_000 }, (_, i) => `k${i}: v`).join('\n')],
  ['aliases', `a:\n${Array.from({ length: 20_000 }, (_, i) => `  - &a${i} x\n  - *a${i}`).join('\n')}`],
  ['broken lines', ': [}\n'.repeat(20_000)],
])('20,000 %s cost no more than their number', (_what, text) => {
  const start = process.cpuUsage()
  readSource(fileOf(text), { env: {}, sandbox: false })
  expect(cpuSince(start)).toBeLessThan(3000)
})

test('keys that are no texts are left out where JSON is made, and nowhere else', () => {
  const { value } = readSource(
    fileOf(`
receivers:
  - webhook_configs: [{ payload: { n: 1, 5: 2, "y": 3, deep: [{ on: 4, x: 5 }] } }]
    pagerduty_configs: [{ details: { n: 1, deep: { n: 2, x: 3 } } }]
    opsgenie_configs: [{ details: { n: 1, ~: 2 } }]
`),
    { env: {}, sandbox: false },
  )
  const typed = (number: number) => ({ text: String(number), value: number })
  expect(JSON.parse(JSON.stringify(value))).toEqual({
    receivers: [
      {
        webhook_configs: [{ payload: { y: typed(3), deep: [{ x: typed(5) }] } }],
        pagerduty_configs: [{ details: { n: typed(1), deep: { x: typed(3) } } }],
        opsgenie_configs: [{ details: { n: typed(1), '': typed(2) } }],
      },
    ],
  })
})

test('columns are those of the file also where a line that goes on was moved', () => {
  expect(problemsOf('route: { receiver: r,\ngroup_wait: x }\nreceivers: [{ name: r }]\n')).toEqual([
    '2:13 route.group_wait: "x" is not a duration; write it as 30s, 5m or 1h30m',
  ])
})

// As Alertmanager 0.33 takes and refuses them.
test.each([
  ['{ b: c:, d: e }', { b: 'c:', d: 'e' }],
  ['{ b: c:}', { b: 'c:' }],
  ['{b:}', { 'b:': null }],
  ['{b:,c: d}', { 'b:': null, c: 'd' }],
  ['[a:, "b:,", c:]', ['a:', 'b:,', 'c:']],
  ["'a:,'", 'a:,'],
  ['a:, b', 'a:, b'],
  ['|\n  [a:, b]', '[a:, b]\n'],
  ['[a]#c', ['a']],
  ['{ b: c }#d', { b: 'c' }],
  ['"a"#b', 'a'],
  ["'a'#b", 'a'],
  ['[a,#b\n  c]', ['a', 'c']],
  ['a#b', 'a#b'],
  ['{ b: c: }', undefined],
  ['{ b: "c":}', undefined],
  ['{b:[c]}', undefined],
  ['{ b: c:[d]}', undefined],
])('colons and comments that touch what is beside them: %s', (yaml, wanted) => {
  const { value, problems } = readSource(fileOf(`a: ${yaml}\n`), { env: {}, sandbox: false })
  expect(problems.length === 0).toBe(wanted !== undefined)
  expect(value).toEqual(wanted === undefined ? null : { a: wanted })
})
