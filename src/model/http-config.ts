import { z } from 'zod'
import { record } from './record.ts'
import { Secret } from './secret.ts'
import { flag, maybe, proxyUrl, secret, string, stringMap, strings } from './settings.ts'

// Alertmanager's `http_config` and what it is made of; keys, defaults and rules as in its version 0.33.

type Check<T> = z.core.ParsePayload<T>

/** Adds a problem at a key. */
export function fail<T>(context: Check<T>, key: string, message: string): void {
  context.issues.push({ code: 'custom', message, input: context.value, path: [key] })
}

/** Whether a setting says something. */
export function isSet<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null && (value instanceof Secret ? value.reveal() : value) !== ''
}

/** At most one of a value and its other forms may be given. */
export function atMostOne<T extends object>(context: Check<T>, ...keys: (keyof T & string)[]): void {
  const given = keys.filter((key) => isSet(context.value[key]))
  const [first, second] = given
  if (first && second) fail(context, second, `cannot stand beside ${first}; keep one of them`)
}

const versions = ['TLS10', 'TLS11', 'TLS12', 'TLS13']
const tlsVersion = maybe(string.refine((given) => versions.includes(given), `must be one of ${versions.join(', ')}`))

export const tlsConfig = z
  .strictObject({
    ca: maybe(string),
    ca_file: maybe(string),
    cert: maybe(string),
    cert_file: maybe(string),
    key: maybe(secret),
    key_file: maybe(string),
    ca_ref: maybe(string),
    cert_ref: maybe(string),
    key_ref: maybe(string),
    server_name: maybe(string),
    insecure_skip_verify: maybe(flag),
    min_version: tlsVersion,
    max_version: tlsVersion,
  })
  .check((context) => {
    const { cert, cert_file, cert_ref, key, key_file, key_ref } = context.value
    atMostOne(context, 'ca', 'ca_file')
    atMostOne(context, 'cert', 'cert_file')
    atMostOne(context, 'key', 'key_file')
    const hasCert = [cert, cert_file, cert_ref].some(isSet)
    const hasKey = [key, key_file, key_ref].some(isSet)
    if (hasCert && !hasKey) fail(context, 'key_file', 'a certificate needs its key: set key or key_file')
    if (hasKey && !hasCert) fail(context, 'cert_file', 'a key needs its certificate: set cert or cert_file')
    noReferences(context, 'ca_ref', 'cert_ref', 'key_ref')
  })

export type TlsConfig = z.output<typeof tlsConfig>

/** `…_ref` names a secret store, and there is none. */
function noReferences<T extends object>(context: Check<T>, ...keys: (keyof T & string)[]): void {
  for (const key of keys) if (isSet(context.value[key])) fail(context, key, 'there is no secret store to refer to')
}

const proxyShape = {
  proxy_url: maybe(proxyUrl),
  no_proxy: maybe(string),
  proxy_from_environment: maybe(flag),
  proxy_connect_header: maybe(record(maybe(z.array(secret)))),
}

export type ProxyConfig = Partial<z.output<z.ZodObject<typeof proxyShape>>>

function checkProxy<T extends ProxyConfig>(context: Check<T>): void {
  const { proxy_url, no_proxy, proxy_from_environment, proxy_connect_header } = context.value
  if (proxy_from_environment && isSet(proxy_url))
    fail(context, 'proxy_url', 'cannot stand beside proxy_from_environment')
  if (proxy_from_environment && isSet(no_proxy)) fail(context, 'no_proxy', 'cannot stand beside proxy_from_environment')
  if (isSet(no_proxy) && proxy_url === undefined) fail(context, 'no_proxy', 'needs proxy_url beside it')
  if (Object.keys(proxy_connect_header ?? {}).length > 0 && !isSet(proxy_url) && !proxy_from_environment)
    fail(context, 'proxy_connect_header', 'needs proxy_url or proxy_from_environment beside it')
}

const basicAuth = z
  .strictObject({
    username: maybe(string),
    username_file: maybe(string),
    username_ref: maybe(string),
    password: maybe(secret),
    password_file: maybe(string),
    password_ref: maybe(string),
  })
  .check((context) => {
    atMostOne(context, 'username', 'username_file')
    atMostOne(context, 'password', 'password_file')
    noReferences(context, 'username_ref', 'password_ref')
  })

export const authorization = z
  .strictObject({
    type: maybe(string),
    credentials: maybe(secret),
    credentials_file: maybe(string),
    credentials_ref: maybe(string),
  })
  .check((context) => {
    atMostOne(context, 'credentials', 'credentials_file')
    noReferences(context, 'credentials_ref')
    if (context.value.type?.trim().toLowerCase() === 'basic')
      fail(context, 'type', 'cannot be "basic": use basic_auth instead')
  })

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const algorithms = ['RS256', 'RS384', 'RS512']

const oauth2 = z
  .strictObject({
    client_id: maybe(string),
    client_secret: maybe(secret),
    client_secret_file: maybe(string),
    client_secret_ref: maybe(string),
    client_certificate_key_id: maybe(string),
    client_certificate_key: maybe(secret),
    client_certificate_key_file: maybe(string),
    client_certificate_key_ref: maybe(string),
    signature_algorithm: maybe(string),
    iss: maybe(string),
    audience: maybe(string),
    claims: maybe(record(z.unknown())),
    scopes: maybe(strings),
    token_url: maybe(string),
    endpoint_params: maybe(stringMap),
    grant_type: maybe(string),
    tls_config: maybe(tlsConfig),
    ...proxyShape,
  })
  .check((context) => {
    const { client_id, token_url, grant_type, signature_algorithm } = context.value
    if (!isSet(client_id)) fail(context, 'client_id', 'is required')
    if (!isSet(token_url)) fail(context, 'token_url', 'is required')
    noReferences(context, 'client_secret_ref', 'client_certificate_key_ref')
    if (grant_type !== jwtBearer) atMostOne(context, 'client_secret', 'client_secret_file')
    else {
      atMostOne(context, 'client_certificate_key', 'client_certificate_key_file')
      if (isSet(signature_algorithm) && !algorithms.includes(signature_algorithm ?? ''))
        fail(context, 'signature_algorithm', `must be one of ${algorithms.join(', ')}`)
    }
    checkProxy(context)
  })

export type OAuth2 = z.output<typeof oauth2>

const reservedHeaders = new Set(
  [
    'Authorization Host Content-Encoding Content-Length Content-Type User-Agent Connection Keep-Alive',
    'Proxy-Authenticate Proxy-Authorization Www-Authenticate Accept-Encoding X-Prometheus-Remote-Write-Version',
    'X-Prometheus-Remote-Read-Version X-Prometheus-Scrape-Timeout-Seconds X-Amz-Date X-Amz-Security-Token',
    'X-Amz-Content-Sha256',
  ].flatMap((line) => line.toLowerCase().split(' ')),
)

export const header = maybe(
  z.strictObject({ values: maybe(strings), secrets: maybe(z.array(secret)), files: maybe(strings) }),
)

export const httpConfig = z
  .strictObject({
    basic_auth: maybe(basicAuth),
    authorization: maybe(authorization),
    oauth2: maybe(oauth2),
    bearer_token: maybe(secret),
    bearer_token_file: maybe(string),
    tls_config: maybe(tlsConfig),
    follow_redirects: maybe(flag),
    enable_http2: maybe(flag),
    http_headers: maybe(record(header)),
    ...proxyShape,
  })
  .check((context) => {
    const { http_headers } = context.value
    atMostOne(context, 'bearer_token', 'bearer_token_file')
    atMostOne(context, 'basic_auth', 'authorization', 'oauth2', 'bearer_token')
    atMostOne(context, 'basic_auth', 'authorization', 'oauth2', 'bearer_token_file')
    for (const name of Object.keys(http_headers ?? {})) {
      if (reservedHeaders.has(name.toLowerCase()))
        context.issues.push({
          code: 'custom',
          message: `the header ${name} cannot be set here`,
          input: context.value,
          path: ['http_headers', name],
        })
    }
    checkProxy(context)
  })
export type HttpConfig = z.output<typeof httpConfig>

/** Whether a client brings an `Authorization` header; a bearer token is such. */
export function hasAuthorization(config: unknown): boolean {
  if (typeof config !== 'object' || config === null) return false
  const given: Readonly<Record<string, unknown>> = { ...config }
  return ['authorization', 'bearer_token', 'bearer_token_file'].some((key) => isSet(given[key]))
}
