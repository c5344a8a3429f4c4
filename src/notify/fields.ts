import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type HttpConfig, isSet } from '../model/http-config.ts'
import { Secret } from '../model/secret.ts'
import { flag, maybe, string } from '../model/settings.ts'
import { SettingError } from './notifier.ts'

/** Whether a setting says the same for every notification. */
export function isFixed(text: string): boolean {
  return text !== '' && !text.includes('{{')
}

/** A destination's name in budgets, logs and metrics: the same for the same parts, which may be secret, and telling none. */
export function destinationOf(channel: string, ...parts: string[]): string {
  return `${channel}-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)}`
}

/** A text setting that may be a template. */
export const template = string

/** A setting with a default, which an empty one keeps. */
export function or<T extends z.ZodType, D extends NonNullable<z.output<T>>>(schema: T, otherwise: D) {
  return maybe(schema).transform((value) => value ?? otherwise)
}

/** A setting that must be there once `global` has filled in what it can. */
export function needed<T extends z.ZodType>(schema: T, message: string) {
  return schema.nullish().transform((value, context) => {
    if (isSet(value)) return value
    context.addIssue(message)
    return z.NEVER
  })
}

/** `send_resolved` with a channel's default. */
export function sendResolved(otherwise: boolean) {
  return or(flag, otherwise)
}

/** The value of a secret that is given itself or by a file, read anew at each use. Throws SettingError where the file cannot be read. */
export function secretOf(
  value: Secret | undefined,
  file: string | undefined,
  { key = '', folder = '' }: { key?: string; folder?: string } = {},
): string {
  if (value) return value.reveal()
  if (!file) return ''
  try {
    return readFileSync(resolve(folder, file), 'utf8').trim()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new SettingError(`${key && `${key}: `}cannot read ${file}: ${code}`)
  }
}

/** What a channel takes of `http_config` and does not obey: where an answer leads is for its sender to say. */
export const unheeded = ['http_config.follow_redirects']

/** The headers that an `http_config` asks for; without credentials, those of them that anybody may see. */
export function headersOf(config: HttpConfig | undefined, withCredentials = true, folder = ''): Record<string, string> {
  const read = (value: Secret | undefined, file: string | undefined) => secretOf(value, file, { folder })
  const headers: Record<string, string> = Object.create(null)
  for (const [name, given] of Object.entries(config?.http_headers ?? {})) {
    const { values = [], secrets = [], files = [] } = given ?? {}
    const hidden = [...secrets.map((one) => one.reveal()), ...files.map((file) => read(undefined, file))]
    if (withCredentials || hidden.length === 0) headers[name] = [...values, ...hidden].join(', ')
  }
  if (!withCredentials) return headers
  if (config?.basic_auth) {
    const { username, username_file, password, password_file } = config.basic_auth
    const user = username ?? read(undefined, username_file)
    headers['Authorization'] = basic(user, read(password, password_file))
  } else if (config?.authorization) {
    const { type, credentials, credentials_file } = config.authorization
    headers['Authorization'] = `${type || 'Bearer'} ${read(credentials, credentials_file)}`
  } else if (config?.bearer_token || config?.bearer_token_file) {
    headers['Authorization'] = `Bearer ${read(config.bearer_token, config.bearer_token_file)}`
  }
  return headers
}

/** What HTTP's basic authentication sends for a login. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** A text as a JSON object; undefined where it is none. */
export function json(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

/** A notification's id without what tells its content: the same for all attempts at it, whatever they came to say. */
export function withoutContent(id: string): string {
  return id.replace(/\.[0-9a-f]{8}$/, '')
}

/** A link that may stand in a message: http or https, else ''. */
export function link(text: string): string {
  if (!URL.canParse(text)) return ''
  return /^https?:$/.test(new URL(text).protocol) ? text : ''
}

/** What a channel sends beside a payload and nobody is shown, such as a secret address. */
export const beside = Symbol('beside')

/** What of headers must not stand in an answer that is told. */
export function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap((value) => {
    const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(value) ?? []
    const login = scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString() : ''
    return [value, credentials, login, login.slice(login.indexOf(':') + 1)]
  })
}

/** A payload with something beside it, which shows neither in its JSON nor among its keys. */
export function withBeside<T extends object, B>(payload: T, what: B): T & { [beside]: B } {
  return Object.defineProperty({ ...payload, [beside]: what }, beside, { enumerable: false })
}
