import { readFileSync, readdirSync } from 'node:fs'

const folder = new URL('../../templates/', import.meta.url)

/** The definitions that come with Tocsin, by file; those of a routing file may replace them. */
export function builtinTemplates(): { name: string; text: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.tmpl'))
    .sort()
    .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
}
