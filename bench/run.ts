// npm run bench [-- --quick] [-- --only <words>] [-- --profile]: what the way in and the way out cost beside Alertmanager (Debian's, or the one
// that ALERTMANAGER_BIN names), alternately on the same bodies with the same sink. Prints minimum, median and maximum of the
// rounds; all of it without --only is written into docs/performance.md. --profile says where Tocsin's and its Redis' time goes.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { alertmanagerBinary } from '../test/helpers/prometheus.ts'
import { growthRows } from './growth.ts'
import { ingestRows, workersRows } from './ingest.ts'
import { machine, print } from './print.ts'
import { openProfile } from './profile.ts'
import { noted } from './sides.ts'
import { measure } from './table.ts'
import { wayOutRows } from './way-out.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, profile: { type: 'boolean' } },
})
const isQuick = values.quick === true
const plan = isQuick
  ? { rounds: 3, alerts: 20_000, active: 5000, repeats: 8 }
  : { rounds: 5, alerts: 50_000, active: 10_000, repeats: 20 }
const rows = [
  ...ingestRows(plan, 'everysec'),
  ...ingestRows(plan, 'always').slice(0, 2),
  ...wayOutRows(isQuick ? { rounds: 2, storm: 5000, singles: 200 } : { rounds: 5, storm: 20_000, singles: 1000 }),
  ...growthRows(isQuick ? 2 : 5),
  ...workersRows(plan),
]

const versionOf = (command: string) => {
  const said = execFileSync(command, ['--version']).toString()
  return /version (\S+)|v=(\S+)/.exec(said)?.slice(1).find(Boolean) ?? ''
}
const about = `${new Date().toISOString().slice(0, 10)}, ${machine()}, Redis ${versionOf('redis-server')}, Alertmanager ${versionOf(alertmanagerBinary)}${isQuick ? ', --quick' : ''}`
print(about)
const head = ['| Work | What | Tocsin | Alertmanager | ratio |', '|---|---|---|---|---|']
for (const line of head) print(line)
const lines: string[] = []
for (const row of rows) {
  if (!row.name.includes(values.only ?? '')) continue
  using profile = values.profile === true ? openProfile() : undefined
  noted.by = profile
  lines.push(...(await measure(row)))
  for (const line of profile?.told() ?? []) print(line)
}

// a profile costs something
if (values.only === undefined && values.profile !== true) {
  const file = join(import.meta.dirname, '../docs/performance.md')
  const [begin, end] = ['<!-- npm run bench -->', '<!-- until here -->']
  const text = readFileSync(file, 'utf8')
  const table = [begin, `${about}: minimum / median / maximum.`, '', ...head, ...lines, end].join('\n')
  writeFileSync(
    file,
    text.replace(new RegExp(`${begin}[^]*${end}`), () => table),
  )
}
