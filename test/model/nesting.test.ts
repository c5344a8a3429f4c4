import { expect, test } from 'vitest'
import { nestsDeeper } from '../../src/model/nesting.ts'

const deep = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth)

test.each([
  ['as deep as may be', deep(100), false],
  ['one level more', deep(101), true],
  ['100,000 levels', deep(100_000), true],
  ['objects', deep(101, '{"a":', '}'), true],
  ['never closed', '['.repeat(101), true],
  ['side by side', `[${Array(1000).fill('[]').join()}]`, false],
  ['brackets in a text', `["${'['.repeat(1000)}"]`, false],
  ['behind an escaped quote in a text', `["\\"${'['.repeat(1000)}"]`, false],
  ['behind a text that ends in a backslash', `["\\\\",${deep(101)}]`, true],
  ['a text that does not end', `["${'['.repeat(1000)}`, false],
  ['with other things between', '[0,{"a":'.repeat(51), true],
])('%s', (_what, text, answer) => {
  expect(nestsDeeper(text, 100)).toBe(answer)
})
