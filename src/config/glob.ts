import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * The files that a pattern stands for, sorted, with `*`, `?` and `[…]` within a path's parts, as Go's
 * filepath.Glob has it. Nothing that matches is no error. Relative patterns start at `base`.
 */
export function glob(pattern: string, base: string): string[] {
  const parts = resolve(base, pattern).split('/').slice(1)
  let found = ['/']
  for (const part of parts) {
    const matches = /[*?[]/.test(part) ? toRegex(part) : undefined
    found = found.flatMap((folder) => {
      if (!matches) return [join(folder, part)]
      return list(folder)
        .filter((name) => matches.test(name))
        .map((name) => join(folder, name))
    })
  }
  return found.filter((path) => list(join(path, '..')).includes(path.split('/').at(-1) ?? '')).sort()
}

function toRegex(part: string): RegExp {
  const body = part
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*/g, '[^/]*')
    .replace(/\?/g, '[^/]')
  try {
    return new RegExp(`^${body}$`)
  } catch {
    return /^(?!)/ // an open bracket: matches nothing
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
