import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { ConfigError } from '../../src/config/error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { decodePayload } from '../../src/config/payload.ts'
import { channels } from '../../src/notify/index.ts'

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))
const { vectors } = z
  .object({ vectors: z.array(z.object({ name: z.string(), yaml: z.string(), ok: z.boolean() })) })
  .parse(read('config-vectors.json'))

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'tocsin-vectors-'))))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Taken here as 0.34 takes it, where the sample is of 0.33. */
const newer = new Set(['route labels'])

test.each(vectors.map(({ name, yaml, ok }) => ({ name, yaml, ok: ok || newer.has(name) })))(
  '$name: $ok',
  ({ yaml, ok }) => {
    const file = join(dir, 'alertmanager.yml')
    writeFileSync(file, yaml)
    const load = () => loadConfig(file, { env: {}, sandbox: false, channels })
    if (ok) expect(load).not.toThrow()
    else expect(load).toThrow(ConfigError)
  },
)

const payload = z
  .object({ vectors: z.array(z.tuple([z.string(), z.unknown()])) })
  .parse(read('payload-scalar-vectors.json'))

/** Inside what was decoded, 0.34 leaves texts alone, and so do we. */
const inside: Record<string, unknown> = {
  '{"k":"v:"}': { k: 'v:' },
  '{"k":"12"}': { k: '12' },
  '{"k":{"n":"yes"}}': { k: { n: 'yes' } },
  '["1","x"]': ['1', 'x'],
  'key: "v: w"': { key: 'v: w' },
}

test.each(payload.vectors)('the rendered text %j of a payload is %j', (text, value) => {
  expect(decodePayload(text)).toEqual(text in inside ? inside[text] : value)
})

test('a bomb of aliases, or of brackets, is a text', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh'].map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[i]}`).join()}]`).join('\n')}`
  expect(decodePayload(bomb)).toBe(bomb)
  const deep = '['.repeat(10_000)
  expect(decodePayload(deep)).toBe(deep)
})
