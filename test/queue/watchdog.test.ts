import { expect, test } from 'vitest'
import { openWatchdog } from '../../src/queue/watchdog.ts'

// what happens at each second: `.` nothing, `j` jobs wait, `p` the worker takes or ends one, `?` Redis does not answer
test.each([
  ['idle', '.........', ''],
  ['busy', 'jpjpjpjpjp', ''],
  ['a backlog that moves on', 'jjpjjpjjpjjp', ''],
  ['jobs wait and nothing is taken', 'jjjj', 'rebuild'],
  ['nor does the new one take any', 'jjjjjjj', 'rebuild hopeless'],
  ['the new one does', 'jjjjpjj', 'rebuild'],
  ['another replica took them', 'jj.jj.jj.', ''],
  ['Redis was away meanwhile', 'jj?jj?jj', ''],
  ['later it happens again', 'jjjjpjjjj', 'rebuild rebuild'],
])('%s', (_what, seconds, verdicts) => {
  const watchdog = openWatchdog(3000, 0)
  const said: string[] = []
  for (const [i, what] of [...seconds].entries()) {
    const at = i * 1000
    if (what === 'p') watchdog.progressed(at)
    else if (what === '?') watchdog.unknown(at)
    else said.push(watchdog.look(at, what === 'j' ? 1 : 0))
  }
  expect(said.filter((verdict) => verdict !== 'fine').join(' ')).toBe(verdicts)
})
