import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { type SecureContextOptions, createSecureContext } from 'node:tls'
import type { Grant } from '../../access/principal.ts'
import type { Secret } from '../../model/secret.ts'
import { check } from '../check.ts'
import { ConfigError } from '../error.ts'
import { suggest } from '../nearest.ts'
import type { Environment } from '../read/environment.ts'
import { type Path, type Source, isMap, readSource } from '../read/source.ts'
import { type TlsShape, webFile } from './schema.ts'
import { ciphers, curves, versions } from './tls-names.ts'

export type ClientAuth = 'none' | 'request' | 'require any' | 'verify if given' | 'require and verify'

/** How the listener speaks TLS. */
export interface TlsSettings {
  context: SecureContextOptions
  clientAuth: ClientAuth
  allowedSans: readonly string[] | undefined // undefined: any
}

export interface BearerToken extends Grant {
  name: string
  sha256: Secret // hex
}

/** Who may call, and how: what a --web.config.file says. */
export interface WebConfig {
  tls: TlsSettings | undefined
  headers: ReadonlyMap<string, string>
  users: ReadonlyMap<string, Secret> // name → bcrypt hash
  tokens: readonly BearerToken[]
  rateLimit: { burst: number; every: number } | undefined // of all requests together, every in ms
  allowedOrigins: readonly string[]
  /** What a user may do. */
  grant(name: string): Grant
  /** By which of its names a client's certificate goes, and what that may do; undefined where it is let do nothing. */
  certificate(names: readonly string[]): ({ name: string } & Grant) | undefined
  files: readonly string[] // all that was read
}

/** Anyone who is let in may do all, as in Alertmanager. */
const everything: Grant = { role: 'admin', teams: undefined }

/** Without a file: HTTP, and for everyone. */
export const openToAll: WebConfig = {
  tls: undefined,
  headers: new Map(),
  users: new Map(),
  tokens: [],
  rateLimit: undefined,
  allowedOrigins: [],
  grant: () => everything,
  certificate: () => undefined, // nobody is asked for one
  files: [],
}

/** Whether nobody is let in without saying who they are. */
export function authenticates({ users, tokens, tls }: WebConfig): boolean {
  return users.size > 0 || tokens.length > 0 || tls?.clientAuth === 'require and verify'
}

/** Reads a web config file and the certificates that it names. Throws ConfigError with all that is wrong. */
export function loadWebConfig(file: string, environment: Environment): WebConfig {
  const source = readSource(file, environment)
  const empty = source.value === null && source.problems.length === 0
  if (!empty && !isMap(source.value) && source.problems.length === 0)
    source.problems.push(source.problem([], 'the file must hold a map of keys and values, such as tls_server_config:'))
  const given = source.problems.length > 0 ? undefined : check(webFile, source.value ?? {}, source, [])
  const files = [file]
  const tls = given?.tls_server_config && tlsOf(given.tls_server_config, source, files)
  if (!given || source.problems.length > 0) throw new ConfigError(source.problems, [])

  const users = new Map(Object.entries(given.basic_auth_users ?? {}))
  const grants = new Map(Object.entries(given.users ?? {}).map(([name, grant]): [string, Grant] => [name, grant]))
  const tokens = given.bearer_tokens ?? []
  const known = knownNames(users, tokens, tls)
  for (const name of grants.keys()) {
    if (!known || known.names.includes(name)) continue
    const message = `there is no ${known.what} "${name}" in ${known.where}${suggest(name, known.names)}`
    source.problems.push(source.problem(['users', name], message, 'key'))
  }
  for (const [i, { name, sha256 }] of tokens.entries()) {
    const before = tokens.slice(0, i)
    const twin = before.find((one) => one.name === name || one.sha256.reveal() === sha256.reveal())
    if (twin) source.problems.push(source.problem(['bearer_tokens', i], `the name or hash of "${twin.name}" again`))
  }
  const { interval = 0, burst = 0 } = given.rate_limit ?? {}
  if (interval > 0 && burst < 1)
    source.problems.push(source.problem(['rate_limit', 'burst'], 'must be 1 at least; nothing would be answered'))
  if (source.problems.length > 0) throw new ConfigError(source.problems, [])
  return {
    tls,
    headers: new Map(Object.entries(given.http_server_config?.headers ?? {}).filter(([, value]) => value !== '')),
    users,
    tokens,
    rateLimit: interval > 0 ? { burst, every: interval } : undefined,
    allowedOrigins: given.allowed_origins ?? [],
    grant: (name) => grants.get(name) ?? everything,
    certificate(names) {
      const [first] = names
      if (grants.size === 0) return first === undefined ? undefined : { name: first, ...everything }
      const name = names.find((one) => grants.has(one))
      const grant = name === undefined ? undefined : grants.get(name)
      return name !== undefined && grant ? { name, ...grant } : undefined
    },
    files,
  }
}

/** What a line under `users` may be about; undefined where that stands in no file: in certificates of whatever name. */
function knownNames(
  users: ReadonlyMap<string, Secret>,
  tokens: readonly BearerToken[],
  tls: TlsSettings | undefined,
): { what: string; where: string; names: readonly string[] } | undefined {
  const letsIn = tls?.clientAuth === 'require and verify' && users.size === 0 && tokens.length === 0
  if (!letsIn) return { what: 'user', where: 'basic_auth_users', names: [...users.keys()] }
  return tls.allowedSans && { what: 'name', where: 'client_allowed_sans', names: tls.allowedSans }
}

const clientAuths: Record<NonNullable<TlsShape['client_auth_type']>, ClientAuth> = {
  '': 'none',
  NoClientCert: 'none',
  RequestClientCert: 'request',
  RequireAnyClientCert: 'require any',
  RequireClientCert: 'require any',
  VerifyClientCertIfGiven: 'verify if given',
  RequireAndVerifyClientCert: 'require and verify',
}

/** Undefined where the block says nothing; what is wrong is among the source's problems, what was read among `files`. */
function tlsOf(given: TlsShape, source: Source, files: string[]): TlsSettings | undefined {
  const at = (key: string): Path => ['tls_server_config', key]
  const read = (key: 'cert_file' | 'key_file' | 'client_ca_file'): Buffer | undefined => {
    const name = given[key]
    if (!name) return undefined
    const path = isAbsolute(name) ? name : join(dirname(source.file), name)
    files.push(path)
    try {
      return readFileSync(path)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      source.problems.push(source.problem(at(key), `${path} cannot be read (${code})`))
      return undefined
    }
  }
  const cert = read('cert_file') ?? given.cert
  const key = read('key_file') ?? given.key?.reveal()
  const ca = read('client_ca_file') ?? given.client_ca
  if (source.problems.length > 0 || !cert || !key) return undefined
  const suites = (given.cipher_suites ?? []).map((name) => ciphers.get(name) ?? '').filter((name) => name !== '')
  const bends = (given.curve_preferences ?? []).map((name) => curves.get(name) ?? '')
  const context: SecureContextOptions = {
    cert,
    key,
    ...(ca && { ca }),
    minVersion: versions.get(given.min_version ?? 'TLS12') ?? 'TLSv1.2',
    maxVersion: versions.get(given.max_version ?? 'TLS13') ?? 'TLSv1.3',
    ...(suites.length > 0 && { ciphers: suites.join(':') }),
    ...(bends.length > 0 && { ecdhCurve: bends.join(':') }),
    honorCipherOrder: given.prefer_server_cipher_suites ?? true,
  }
  try {
    createSecureContext(context)
  } catch (error) {
    // OpenSSL's words: `error:0B080074:x509 certificate routines::key values mismatch`
    const why = error instanceof Error ? (error.message.split(':').at(-1) ?? '') : ''
    const place = given.cert_file ? 'cert_file' : 'cert'
    source.problems.push(source.problem(at(place), `certificate, key and settings do not make a TLS server: ${why}`))
    return undefined
  }
  return {
    context,
    clientAuth: clientAuths[given.client_auth_type ?? ''],
    allowedSans: given.client_allowed_sans,
  }
}
