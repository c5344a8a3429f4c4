import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { Secret } from '../model/secret.ts'
import { flag, secret } from '../model/settings.ts'
import { SettingError } from './notifier.ts'

/** A text setting that may be a template. */
export const template = z.string()

/** `send_resolved` with a channel's default. */
export function sendResolved(otherwise: boolean) {
  return flag.default(otherwise)
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

/** Alertmanager's `http_config`, as far as it is obeyed. */
export const httpConfig = z
  .strictObject({
    basic_auth: z
      .strictObject({
        username: z.string().default(''),
        password: secret.optional(),
        password_file: z.string().optional(),
      })
      .optional(),
    authorization: z
      .strictObject({
        type: z.string().default('Bearer'),
        credentials: secret.optional(),
        credentials_file: z.string().optional(),
      })
      .optional(),
    bearer_token: secret.optional(),
    bearer_token_file: z.string().optional(),
    http_headers: z
      .record(
        z.string(),
        z.strictObject({ values: z.array(z.string()).optional(), secrets: z.array(secret).optional() }),
      )
      .optional(),
    // taken, and left: connections are made anew by HTTP/1.1 and follow no redirects
    follow_redirects: flag.optional(),
    enable_http2: flag.optional(),
  })
  .nullish()

/** The headers that an `http_config` asks for. */
export function headersOf(config: z.output<typeof httpConfig>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, { values, secrets }] of Object.entries(config?.http_headers ?? {})) {
    headers[name] = [...(values ?? []), ...(secrets ?? []).map((one) => one.reveal())].join(', ')
  }
  if (config?.basic_auth) {
    const { username, password, password_file } = config.basic_auth
    headers['Authorization'] =
      `Basic ${Buffer.from(`${username}:${secretOf(password, password_file)}`).toString('base64')}`
  } else if (config?.authorization) {
    const { type, credentials, credentials_file } = config.authorization
    headers['Authorization'] = `${type} ${secretOf(credentials, credentials_file)}`
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
