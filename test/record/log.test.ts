import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { openLog } from '../../src/record/log.ts'

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
