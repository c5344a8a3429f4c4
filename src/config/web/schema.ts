import { z } from 'zod'
import { roles } from '../../access/principal.ts'
import { fail, isSet } from '../../model/http-config.ts'
import { record } from '../../model/record.ts'
import { Secret } from '../../model/secret.ts'
import { flag, goDuration, integer, maybe, secret, string, stringMap, strings } from '../../model/settings.ts'
import { ciphers, curves, versions } from './tls-names.ts'

// The shape of --web.config.file: that of Prometheus' exporter-toolkit, with what is ours behind it.

const clientAuth = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'RequireClientCert', // an old name of the one before
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const

const oneOf = <Value extends string>(...values: readonly Value[]) =>
  string.transform((given, context): Value => {
    const found = values.find((value) => value === given)
    if (found !== undefined) return found
    context.addIssue(`"${given}" is none of ${values.join(', ')}`)
    return z.NEVER
  })

const tls = z
  .strictObject({
    cert: maybe(string),
    cert_file: maybe(string),
    key: maybe(secret),
    key_file: maybe(string),
    client_ca: maybe(string),
    client_ca_file: maybe(string),
    client_auth_type: maybe(z.union([z.literal(''), oneOf(...clientAuth)])),
    client_allowed_sans: maybe(strings),
    min_version: maybe(oneOf(...versions.keys())),
    max_version: maybe(oneOf(...versions.keys())),
    cipher_suites: maybe(z.array(oneOf(...ciphers.keys()))),
    curve_preferences: maybe(z.array(oneOf(...curves.keys()))),
    prefer_server_cipher_suites: maybe(flag),
  })
  .check((context) => {
    const { value } = context
    const auth = value.client_auth_type || 'NoClientCert'
    const enabled = [value.cert, value.cert_file, value.key, value.key_file, value.client_ca, value.client_ca_file]
    if (![...enabled, value.client_auth_type].some(isSet)) return
    if (!isSet(value.cert) && !isSet(value.cert_file)) fail(context, 'cert_file', 'is required; set cert or cert_file')
    if (!isSet(value.key) && !isSet(value.key_file)) fail(context, 'key_file', 'is required; set key or key_file')
    const hasAuthority = isSet(value.client_ca) || isSet(value.client_ca_file)
    if (hasAuthority && auth === 'NoClientCert')
      fail(context, 'client_auth_type', 'a client CA is of no use without it; set RequireAndVerifyClientCert')
    const verifies = auth === 'VerifyClientCertIfGiven' || auth === 'RequireAndVerifyClientCert'
    if (verifies && !hasAuthority) fail(context, 'client_ca_file', `is required by client_auth_type ${auth}`)
    if (value.client_allowed_sans && !auth.startsWith('Require'))
      fail(context, 'client_allowed_sans', 'needs client_auth_type RequireAnyClientCert or RequireAndVerifyClientCert')
  })
export type TlsShape = z.output<typeof tls>

/** Headers that may be set, and to what: as in the toolkit, which keeps Prometheus' programs alike. */
const headers: Record<string, readonly string[]> = {
  'Strict-Transport-Security': [],
  'X-Content-Type-Options': ['nosniff'],
  'X-Frame-Options': ['deny', 'sameorigin'],
  'X-XSS-Protection': [],
  'Content-Security-Policy': [],
}

const http = z.strictObject({ http2: maybe(flag), headers: maybe(stringMap) }).check((context) => {
  for (const [name, value] of Object.entries(context.value.headers ?? {})) {
    const known = Object.hasOwn(headers, name) ? headers[name] : undefined
    const message = known
      ? known.length > 0 && !known.includes(value) && `must be one of ${known.join(', ')}`
      : `this header cannot be set; those that can are ${Object.keys(headers).join(', ')}`
    const wrong = message || (/[^\t\x20-\x7e]/.test(value) && 'must be plain ASCII on one line')
    if (wrong) context.issues.push({ code: 'custom', input: value, path: ['headers', name], message: wrong })
  }
})

const grant = {
  role: oneOf(...roles),
  // a key with nothing behind it is no list either: it must not mean all teams
  teams: z
    .preprocess(
      (given) => given ?? [],
      strings.refine((teams) => teams.length > 0, 'is empty; leave it out for all teams'),
    )
    .optional()
    .transform((teams) => teams),
}

const bcrypt = string
  .refine((given) => /^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/.test(given), {
    message: 'is no bcrypt hash; make one with htpasswd -nBC 10 "" | tr -d \':\\n\'',
  })
  .transform((given) => new Secret(given))

const token = z.strictObject({
  name: string.refine((name) => name !== '', 'needs a name'),
  sha256: string
    .refine((given) => /^[0-9a-f]{64}$/i.test(given), {
      message: 'must be 64 hex digits: printf %s "$TOKEN" | sha256sum',
    })
    .transform((given) => new Secret(given)),
  ...grant,
})

const origin = string.transform((given, context) => {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.origin === given.toLowerCase().replace(/\/$/, '')) return url.origin
  context.addIssue(`"${given}" is no origin; write it as https://host or https://host:port`)
  return z.NEVER
})

export const webFile = z.strictObject({
  tls_server_config: maybe(tls),
  http_server_config: maybe(http),
  basic_auth_users: maybe(record(bcrypt)),
  rate_limit: maybe(z.strictObject({ interval: maybe(goDuration), burst: maybe(integer) })),
  users: maybe(record(z.strictObject(grant))),
  bearer_tokens: maybe(z.array(token)),
  allowed_origins: maybe(z.array(origin)),
})
