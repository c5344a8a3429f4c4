import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const epochs = z.record(z.string(), z.string())

/**
 * Which data set this machine saw last, beside the data of an embedded Redis: by it an emptied Redis is told from a new
 * one. One entry for each Redis and prefix.
 */
export function epochFile(folder: string, redis: string) {
  const file = join(folder, 'epoch')
  const known = () => {
    try {
      return epochs.parse(JSON.parse(readFileSync(file, 'utf8')))
    } catch {
      return {}
    }
  }
  return {
    read(): string | undefined {
      return known()[redis]
    },
    /** Returns why it cannot, where it cannot: a folder that is read-only, say. */
    write(epoch: string): string | undefined {
      const before = known()
      if (before[redis] === epoch) return undefined
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        // renamed into place: a crash leaves the old one or the new one
        writeFileSync(`${file}.new`, JSON.stringify({ ...before, [redis]: epoch }), { mode: 0o600 })
        renameSync(`${file}.new`, file)
        return undefined
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
    },
  }
}

export type EpochFile = ReturnType<typeof epochFile>
