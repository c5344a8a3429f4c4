import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'

/** The lowest cost that bcrypt has: tests log in often. */
const COST = 4

export function bcrypt(password: string, cost = COST): string {
  return hashSync(password, cost)
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Tokens by who they are, each named after its role: `view`, and `view quant` for one of team quant alone. */
export function webFile(dir: string, names: readonly string[], more = ''): string {
  const tokens = names.map((name) => {
    const [role = '', team] = name.split(' ')
    return `- { name: '${name}', sha256: ${sha256(tokenOf(name))}, role: ${role}${team ? `, teams: [${team}]` : ''} }`
  })
  const file = join(dir, 'web.yml')
  writeFileSync(file, `bearer_tokens:\n${tokens.map((line) => `  ${line}\n`).join('')}${more}`)
  return file
}

/** The header that says who it is; none for nobody. */
export function as(name: string | undefined): Record<string, string> {
  return name === undefined ? {} : { Authorization: `Bearer ${tokenOf(name)}` }
}

function tokenOf(name: string): string {
  return `token-${name.replaceAll(' ', '-')}`
}
