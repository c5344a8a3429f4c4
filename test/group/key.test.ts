import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { groupKey, groupLabels } from '../../src/group/key.ts'
import { fingerprint } from '../../src/model/fingerprint.ts'
import { matchRoutes } from '../../src/route/tree.ts'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'

interface Vector {
  receiver: string
  groupKey: string
  groupLabels: Record<string, string>
  alertLabels: Record<string, string>[]
  fingerprints: string[]
}
const vectors = new URL('../vectors/group-key-vectors.json', import.meta.url)
const rows: Vector[] = JSON.parse(readFileSync(vectors, 'utf8')).vectors
const file = new URL('../vectors/group-key-config.yml', import.meta.url).pathname
const config = loadConfig(file, { env: {}, sandbox: false, channels })

test.each(rows)('$groupKey', ({ receiver, groupKey: wanted, groupLabels: labels, alertLabels, fingerprints }) => {
  for (const [i, given] of alertLabels.entries()) {
    const alert = new Map(Object.entries(given))
    const [route] = matchRoutes(config.route, alert)
    expect(route?.receiver).toBe(receiver)
    const found = groupLabels(route ?? config.route, alert)
    expect(Object.fromEntries(found)).toEqual(labels)
    expect(groupKey(route ?? config.route, found)).toBe(wanted)
    expect(fingerprint(alert)).toBe(fingerprints[i])
  }
})
