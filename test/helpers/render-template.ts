import { readFileSync } from 'node:fs'
import { readTemplateData } from '../../src/command/template-data.ts'
import type { TemplateData } from '../../src/template/data.ts'
import { TemplateError, parseTemplates } from '../../src/template/templates.ts'

/** The data that the template vectors are rendered over. */
export const vectorData: TemplateData<string> = readTemplateData(
  JSON.parse(readFileSync(new URL('../vectors/template-data.json', import.meta.url), 'utf8')),
)

const templates = parseTemplates([])

/** What a template makes of the vectors' data, or its error's words. */
export function rendered(template: string): string {
  try {
    return templates.text(template, vectorData, Date.UTC(2026, 2, 1, 10))
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}
