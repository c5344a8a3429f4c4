import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type HttpConfig, isSet } from '../model/http-config.ts'
import { Secret } from '../model/secret.ts'
import { flag, maybe, string } from '../model/settings.ts'
import { SettingError } from './notifier.ts'

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
export function secretOf(value: Secret | undefined, file: string | undefined): string {
  if (value) return value.reveal()
  if (!file) return ''
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new SettingError(
      `cannot read ${file}: ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}`,
    )
  }
}

/** The headers that an `http_config` asks for. */
export function headersOf(config: HttpConfig | undefined): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, given] of Object.entries(config?.http_headers ?? {})) {
    const { values = [], secrets = [], files = [] } = given ?? {}
    const hidden = [...secrets.map((one) => one.reveal()), ...files.map((file) => secretOf(undefined, file))]
    headers[name] = [...values, ...hidden].join(', ')
  }
  if (config?.basic_auth) {
    const { username, username_file, password, password_file } = config.basic_auth
    const user = username ?? secretOf(undefined, username_file)
    headers['Authorization'] = `Basic ${Buffer.from(`${user}:${secretOf(password, password_file)}`).toString('base64')}`
  } else if (config?.authorization) {
    const { type, credentials, credentials_file } = config.authorization
    headers['Authorization'] = `${type || 'Bearer'} ${secretOf(credentials, credentials_file)}`
  } else if (config?.bearer_token || config?.bearer_token_file) {
    headers['Authorization'] = `Bearer ${secretOf(config.bearer_token, config.bearer_token_file)}`
  }
  return headers
}

/** The first `length` characters of a text, the last of them `…` where it is longer. */
export function truncate(text: string, length: number): string {
  const characters = [...text]
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : text
}

/** A link that may stand in a message: http or https, else ''. */
export function link(text: string): string {
  if (!URL.canParse(text)) return ''
  return /^https?:$/.test(new URL(text).protocol) ? text : ''
}

/** What a channel sends beside a payload and nobody is shown, such as a secret address. */
export const beside = Symbol('beside')

/** A payload with something beside it, which shows neither in its JSON nor among its keys. */
export function withBeside<T extends object, B>(payload: T, what: B): T & { [beside]: B } {
  return Object.defineProperty({ ...payload, [beside]: what }, beside, { enumerable: false })
}
