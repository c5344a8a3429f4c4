import { z } from 'zod'
import { parseDuration, parseGoDuration } from './duration.ts'
import { Plain } from './plain.ts'
import { record } from './record.ts'
import { Secret } from './secret.ts'
import { whyNoUrl, whyUnparsable } from './url.ts'

const LARGEST_INTEGER = 2 ** 63

// Schemas of single settings, as a YAML file gives them.

/** A key that may be missing or empty. */
export function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined)
}

/** A text; what is unquoted counts as it is written, `007` and `yes` too. */
export const string = z.preprocess((given) => (given instanceof Plain ? given.text : given), z.string())

/** A list of texts, in which an empty item is an empty text. */
export const strings = z.array(z.preprocess((given) => given ?? '', string))

/** Names to texts. */
export const stringMap = record(z.preprocess((given) => given ?? '', string))

/** `true false yes no on off y n`, unquoted, as YAML 1.1 has it. */
export const flag = z.unknown().transform((given, context): boolean => {
  const value = given instanceof Plain ? given.value : given
  if (typeof value === 'boolean') return value
  context.addIssue('must be true or false, without quotes')
  return z.NEVER
})

/** A number, unquoted. */
export const number = z.unknown().transform((given, context): number => {
  const value = given instanceof Plain ? given.value : given
  if (typeof value === 'number') return value
  context.addIssue('must be a number, without quotes')
  return z.NEVER
})

/** A whole number, unquoted; a fraction is cut off. */
export const integer = number
  .transform(Math.trunc)
  .refine((given) => Math.abs(given) <= LARGEST_INTEGER, 'must be a whole number, of at most 64 bits')

/** A Prometheus duration, in ms. */
export const duration = string.transform((given, context) => {
  const ms = parseDuration(given)
  if (ms === undefined) context.addIssue(`"${given}" is not a duration; write it as 30s, 5m or 1h30m`)
  return ms ?? z.NEVER
})

/** A Go duration, or an unquoted number of nanoseconds, in ms. */
export const goDuration = z.unknown().transform((given, context): number => {
  if (given instanceof Plain && typeof given.value === 'number' && Math.abs(given.value) <= LARGEST_INTEGER)
    return given.value / 1e6
  const ms = typeof given === 'string' ? parseGoDuration(given) : undefined
  if (ms !== undefined) return ms
  context.addIssue('is not a duration; write it as 10s, 1m30s or 500ms')
  return z.NEVER
})

/** A text that is never shown. */
export const secret = string.transform((given) => new Secret(given))

/** An http or https URL with a host. */
export const httpUrl = string.transform((given, context) => {
  const wrong = whyNoUrl(given)
  if (wrong) context.addIssue(`${quotedOrigin(given)}is not a URL: ${wrong}; write it as https://host/path`)
  return given
})

/** The scheme and host of a URL, to quote in front of what is wrong with it; what else it holds may be secret. */
function quotedOrigin(given: string): string {
  const [, origin = '', host = '', rest = ''] = /^([a-z]+:\/\/)([^/?#]*)(.*)$/is.exec(given) ?? []
  // an @ says that what looks like the host may be a password
  const isHost = !given.includes('@') && /^[a-z0-9.-]*(?::\d*)?$/i.test(host)
  if (origin === '') return ''
  return `"${origin}${isHost ? host : '…'}${isHost && rest ? '/…' : ''}" `
}

/** A proxy's URL, of which less is asked; it may hold a password. */
export const proxyUrl = string.transform((given, context) => {
  // quoted or not, these two are no text to Alertmanager here
  const wrong = given === 'null' || given === '~' ? 'it says nothing' : whyUnparsable(given)
  if (wrong) context.addIssue(`is not a URL: ${wrong}; write it as http://host:port`)
  return given
})

/** The same where the URL itself is the secret: an error does not quote it. */
export const secretUrl = string.transform((given, context) => {
  // what Alertmanager's status shows must load again
  const wrong = given === '<secret>' ? undefined : whyNoUrl(given)
  if (wrong) context.addIssue(`is not a URL: ${wrong}; write it as https://host/path`)
  return new Secret(given)
})

/** `host:port`, the port a number or a service's name, as Go's net.SplitHostPort takes it. */
export const hostPort = string.transform((given, context) => {
  const found = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(given)
  if (!found?.[3] || (found[1] ?? found[2] ?? '') === '')
    context.addIssue(`"${given}" is not host:port; write it as smtp.example.com:587`)
  return { host: found?.[1] ?? found?.[2] ?? '', port: found?.[3] ?? '' }
})
