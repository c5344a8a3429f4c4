import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { channels } from '../../src/notify/index.ts'
import type { Notifier } from '../../src/notify/notifier.ts'

const dir = mkdtempSync(join(tmpdir(), 'tocsin-config-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A file of its own with this text, or these bytes. */
export function fileOf(content: string | Uint8Array): string {
  const file = join(dir, 'alertmanager.yml')
  writeFileSync(file, content)
  return file
}

export function load(content: string | Uint8Array): Config<Notifier> {
  return loadConfig(fileOf(content), { env: {}, sandbox: false, channels })
}

/** What is wrong with a config, as `line:column path: message`; [] where nothing is. Another error is thrown. */
export function problemsOf(content: string | Uint8Array): string[] {
  try {
    load(content)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
  }
}
