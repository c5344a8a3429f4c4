import { statSync } from 'node:fs'
import type { Environment } from '../read/environment.ts'
import { type WebConfig, loadWebConfig, openToAll } from './load.ts'

/** How often it is looked whether a file has changed, ms. */
const EVERY = 1000

/** What is to be done with a file that changed. */
export interface WebWatcher {
  /** Takes it into use before it counts as in force; what it throws keeps the old one. */
  changed(next: WebConfig, before: WebConfig): void
  failed(error: unknown): void
}

export interface OpenWebConfig {
  /** What is in force. */
  current(): WebConfig
  /**
   * Reads the file anew when it or a certificate of it changes: by what stands there and not by events, for a mounted
   * secret changes by a link further up. Only what is seen twice as it is, for of a file that is half written the roles may
   * be missing. What is wrong is told once; the old one stays in force until it is mended.
   */
  watch(watcher: WebWatcher): void
  stop(): void
}

/** Reads a web config file. Throws ConfigError with what is wrong. Without a file everybody is let in. */
export function openWebConfig(file: string | undefined, environment: Environment): OpenWebConfig {
  if (file === undefined) return { current: () => openToAll, watch() {}, stop() {} }
  let current = loadWebConfig(file, environment)
  let seen = fingerprint(current.files) // of what was read
  let looked = seen
  let wrong: string | undefined
  let timer: NodeJS.Timeout | undefined

  return {
    current: () => current,
    watch({ changed, failed }) {
      timer = setInterval(() => {
        const now = fingerprint(current.files)
        const isStill = now === looked
        looked = now
        if (!isStill || (now === seen && wrong === undefined)) return
        seen = now
        try {
          const next = loadWebConfig(file, environment)
          if (fingerprint(current.files) !== now) return // changed while it was read
          changed(next, current)
          current = next
          wrong = undefined
        } catch (error) {
          const message = String(error)
          if (message !== wrong) failed(error)
          wrong = message
        }
      }, EVERY).unref()
    },
    stop: () => clearInterval(timer),
  }
}

function fingerprint(files: readonly string[]): string {
  const state = (file: string) => {
    try {
      const { ino, size, mtimeMs } = statSync(file)
      return `${ino} ${size} ${mtimeMs}`
    } catch {
      return 'gone' // or not to be looked at: reading it says why
    }
  }
  return files.map(state).join('\n')
}
