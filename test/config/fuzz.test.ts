import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { problemsOf } from '../helpers/config.ts'
import { randomFrom } from '../helpers/random.ts'

const { vectors } = z
  .object({ vectors: z.array(z.object({ yaml: z.string() })) })
  .parse(JSON.parse(readFileSync(new URL('../vectors/config-vectors.json', import.meta.url), 'utf8')))
const corpus = [
  ...vectors.map(({ yaml }) => yaml),
  ...['tocsin.yml', 'teams/quant.yml'].map((name) =>
    readFileSync(new URL(`../../routing/${name}`, import.meta.url), 'utf8'),
  ),
]

const scraps =
  '{ } [ ] : , " \' \\ - # & * ! | > % @ ` ~ ? = << <<:\u0020*a &a *a !!str !!int !!binary !!null null true 1 1e9 0x1f {{ }} ${A} ${A:-x} --- ... |\n >-\n \n \t \r \0 \u0085 \u2028 \ufeff \ud800 é 😀 []: {}: ?\u0020'.split(
    ' ',
  )

test('whatever a file holds, there is an answer or a ConfigError, soon', () => {
  const random = randomFrom(20_261_125)
  const below = (length: number) => Math.floor(random() * length)
  const slow: string[] = []
  for (let round = 0; round < 5000; round++) {
    let text = corpus[below(corpus.length)] ?? ''
    for (let edits = 1 + below(4); edits > 0; edits--) {
      const at = below(text.length + 1)
      const lines = text.split('\n')
      const kind = below(4)
      if (kind === 0) text = text.slice(0, at) + (scraps[below(scraps.length)] ?? '') + text.slice(at)
      else if (kind === 1) text = text.slice(0, at) + text.slice(at + 1 + below(8))
      else if (kind === 2) text = lines.toSpliced(below(lines.length), 0, lines[below(lines.length)] ?? '').join('\n')
      else text = lines.toSpliced(below(lines.length), 1).join('\n')
    }
    const start = process.cpuUsage()
    problemsOf(text) // throws what is no ConfigError
    if (process.cpuUsage(start).user > 1_000_000) slow.push(text)
  }
  expect(slow).toEqual([])
}, 180_000)
