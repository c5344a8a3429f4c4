import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { within } from '../../src/record/context.ts'
import { toHuman } from '../../src/record/human.ts'
import { openLog } from '../../src/record/log.ts'
import { traceIdOf } from '../../src/record/tracing.ts'

function logged(write: (log: ReturnType<typeof openLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  const paper = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  write(openLog('info', paper))
  return lines.map((line) => JSON.parse(line))
}

test('a line is one JSON object with the fields of the seed', () => {
  const [line] = logged((log) => log.info({ symbol: 'BHP.AX' }, 'signal generated'))
  expect(line).toEqual({
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: 'tocsin',
    level: 'info',
    message: 'signal generated',
    symbol: 'BHP.AX',
  })
})

test('an error adds its type and message, and nothing that a library hangs on it', () => {
  const error = Object.assign(new TypeError('no'), { config: { headers: { Authorization: 's3cret' } } })
  const [line] = logged((log) => log.error({ err: error, group: 'g' }, 'failed'))
  expect(line).toMatchObject({ level: 'error', error_type: 'TypeError', error_message: 'no', group: 'g' })
  expect(JSON.stringify(line)).not.toContain('s3cret')
})

test('a text with a line break stays one line', () => {
  expect(logged((log) => log.info('one\n{"level":"forged"}'))).toHaveLength(1)
})

test('what belongs to a request or a trace says so on each line, and nothing else does', () => {
  const [inside, traced, outside] = logged((log) => {
    within({ requestId: 'r-1', traceId: 't-1' }, () => log.info('inside'))
    within({ traceId: 't-2' }, () => log.info('of a delivery'))
    log.info('outside')
  })
  expect(inside).toMatchObject({ request_id: 'r-1', trace_id: 't-1' })
  expect(traced).toMatchObject({ trace_id: 't-2' })
  expect(traced).not.toHaveProperty('request_id')
  expect(outside).not.toHaveProperty('trace_id')
})

describe('for people', () => {
  const at = '2026-11-26T03:04:05.678Z'
  const time = new Date(at).toTimeString().slice(0, 8)
  test.each<[what: string, line: string, shown: string]>([
    [
      'time, level, message, fields',
      JSON.stringify({
        level: 'info',
        timestamp: at,
        service: 'tocsin',
        message: 'Tocsin is up',
        url: 'http://x:1',
        n: 3,
      }),
      `${time} INFO  Tocsin is up  url=http://x:1 n=3\n`,
    ],
    [
      'what has spaces or is no text, as JSON',
      JSON.stringify({ level: 'warn', timestamp: at, message: 'no', why: 'a b', list: [1, { a: 2 }] }),
      `${time} WARN  no  why="a b" list=[1,{"a":2}]\n`,
    ],
    [
      'what a terminal would obey is not passed on',
      JSON.stringify({ level: 'error', timestamp: at, message: 'red\u001B[31m\nforged', a: 'x\u001B]0;y\u0007' }),
      `${time} ERROR red [31m forged  a=x ]0;y \n`,
    ],
    ['what is no line of the log stays', 'plain\n', 'plain\n'],
  ])('%s', (_what, line, shown) => {
    expect(toHuman(line, false)).toBe(shown)
  })

  test('colours only where they are wanted', () => {
    const line = JSON.stringify({ level: 'error', timestamp: at, message: 'no' })
    expect(toHuman(line, true)).toContain('\u001B[31mERROR\u001B[0m')
    expect(toHuman(line, false)).not.toContain('\u001B')
  })
})

test.each<[given: string | undefined, trace: string | undefined]>([
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '4bf92f3577b34da6a3ce929d0e0e4736'],
  ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', undefined],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', undefined],
  ['00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01', undefined],
  ['nonsense', undefined],
  [undefined, undefined],
])('traceparent %s is of the trace %s', (given, trace) => {
  expect(traceIdOf(given)).toBe(trace)
})
