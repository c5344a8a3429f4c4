import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { TemplateError, parseTemplates } from '../../src/template/templates.ts'
import { vectorData as data } from '../helpers/render-template.ts'

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))
const builtin = readFileSync(new URL('../../templates/alertmanager.tmpl', import.meta.url), 'utf8')
const templates = parseTemplates([{ name: 'alertmanager.tmpl', text: builtin }])
const { vectors } = z
  .object({
    vectors: z.array(
      z.object({
        group: z.string(),
        type: z.enum(['text', 'html']),
        template: z.string(),
        output: z.string().optional(),
        error: z.string().optional(),
      }),
    ),
  })
  .parse(read('template-vectors.json'))

const at = Date.UTC(2026, 2, 1, 10)

describe.each(vectors)('$group, $type: $template', ({ type, template, output, error }) => {
  test('as Alertmanager renders it', () => {
    const render = () => templates[type](template, data, at)
    if (output !== undefined) expect(render()).toBe(output)
    else expect(render).toThrow(new TemplateError(error ?? ''))
  })
})
