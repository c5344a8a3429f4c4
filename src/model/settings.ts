import { z } from 'zod'
import { parseDuration, parseGoDuration } from './duration.ts'
import { Secret } from './secret.ts'

// Schemas of single settings as a YAML file gives them: every scalar is a text, whatever it looks like.

const words: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  y: true,
  false: false,
  no: false,
  off: false,
  n: false,
}

/** `true false yes no on off y n`, as YAML 1.1 has it. */
export const flag = z.union([z.boolean(), z.string()]).transform((given, context) => {
  const value = typeof given === 'boolean' ? given : words[given.toLowerCase()]
  if (value === undefined) context.addIssue(`"${given}" is not a boolean; write true or false`)
  return value ?? z.NEVER
})

/** A whole number. */
export const integer = z.union([z.int(), z.string()]).transform((given, context) => {
  const value = Number(given)
  if (given !== '' && Number.isSafeInteger(value)) return value
  context.addIssue(`"${given}" is not a whole number`)
  return z.NEVER
})

/** A Prometheus duration, in ms. */
export const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms === undefined) context.addIssue(`"${text}" is not a duration; write it as 30s, 5m or 1h30m`)
  return ms ?? z.NEVER
})

/** A Go duration or a number of nanoseconds, in ms. */
export const goDuration = z.string().transform((text, context) => {
  const ms = /^\d+$/.test(text) ? Number(text) / 1e6 : parseGoDuration(text)
  if (ms === undefined) context.addIssue(`"${text}" is not a duration; write it as 10s, 1m30s or 500ms`)
  return ms ?? z.NEVER
})

/** A text that is never shown. */
export const secret = z.string().transform((text) => new Secret(text))

/** An http or https URL with a host. */
export const httpUrl = z.string().transform((text, context) => {
  if (!isHttpUrl(text)) context.addIssue(`"${text}" is not a URL; write it as https://host/path`)
  return text
})

/** The same where the URL itself is the secret: an error does not quote it. */
export const secretUrl = z.string().transform((text, context) => {
  // what Alertmanager's status shows must load again
  if (text !== '<secret>' && !isHttpUrl(text)) context.addIssue('is not a URL; write it as https://host/path')
  return new Secret(text)
})

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return /^https?:$/.test(protocol) && hostname !== ''
}
