import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { builtinTemplates } from '../config/builtin.ts'
import { glob } from '../config/read/glob.ts'
import type { TemplateData } from '../template/data.ts'
import { TemplateError, type Templates, parseTemplates } from '../template/templates.ts'
import { batch } from './batch.ts'
import { DataError, defaultTemplateData, readTemplateData } from './template-data.ts'

export interface TemplateRenderOptions {
  templates: readonly { name: string; text: string }[] // a routing file's own
  globs: readonly string[]
  dataFile: string // '' for made-up data
  type: 'text' | 'html'
  text: string | undefined // undefined: `{"text","data"?}` a line from `stdin`
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
  at: number // now, epoch ms
}

/**
 * Renders a template, as `amtool template render` does; in batch, an answer a line: `{"ok":true,"out"}` or
 * `{"ok":false,"error"}`. Resolves to the exit code: 1 where a file or the one template fails.
 */
export async function templateRender(options: TemplateRenderOptions): Promise<number> {
  const { text, type, stdin, stdout, stderr, at } = options
  let templates: Templates
  let data: TemplateData<string>
  try {
    templates = parseTemplates([...builtinTemplates(), ...options.templates, ...options.globs.flatMap(readGlob)])
    data = options.dataFile === '' ? defaultTemplateData(at) : readTemplateData(readJson(options.dataFile))
    if (text !== undefined) {
      stdout.write(templates[type](text, data, at))
      return 0
    }
  } catch (error) {
    if (!(error instanceof TemplateError) && !(error instanceof DataError)) throw error
    stderr.write(`tocsin: error: ${error.message}\n`)
    return 1
  }
  await batch(stdin, stdout, (value) => JSON.stringify(answer(value)))
  return 0

  function answer(request: unknown): { ok: true; out: string } | { ok: false; error: string } {
    if (typeof request !== 'object' || request === null || !('text' in request) || typeof request.text !== 'string')
      return { ok: false, error: 'the line must be a JSON object with a text' }
    try {
      const given = 'data' in request && request.data !== null ? readTemplateData(request.data) : data
      const how = 'type' in request && request.type === 'html' ? 'html' : type
      return { ok: true, out: templates[how](request.text, given, at) }
    } catch (error) {
      if (error instanceof TemplateError || error instanceof DataError) return { ok: false, error: error.message }
      throw error
    }
  }
}

/** The files of a glob, relative to the working directory; none is no error. */
function readGlob(pattern: string): { name: string; text: string }[] {
  return glob(pattern, process.cwd()).map((file) => ({ name: basename(file), text: readText(file) }))
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'EISDIR') throw new DataError(`${file} is a directory; write it as ${file}/*.tmpl`)
    throw new DataError(`${file} cannot be read: ${String(code)}`)
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new DataError(`${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
