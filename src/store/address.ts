import type { RedisOptions } from 'ioredis'

/** Where a Redis is: one server or Unix socket, the primary that Sentinels know by a name, or a node of a cluster. */
export type Place =
  | { kind: 'server'; address: string }
  | { kind: 'sentinel'; hosts: readonly Host[]; name: string; db: number; sentinelPassword: string; login: Login }
  | { kind: 'cluster'; hosts: readonly Host[]; login: Login }

export interface Host {
  host: string
  port: number
}

/** What ioredis takes to be let in. */
export type Login = Pick<RedisOptions, 'username' | 'password' | 'tls'>

const SENTINEL_PORT = 26_379
const PORT = 6379
const examples = {
  sentinel: 'redis+sentinel://:password@host:26379,other:26379/name-of-the-primary',
  cluster: 'redis+cluster://:password@host:6379,other:6379',
}

/**
 * Why a text is no address of a Redis, and how to write one, without anything of it: it may hold a password. Undefined where
 * it is one: `redis://…`, `rediss://…`, the path of a Unix socket, or `redis+sentinel://…`, `redis+cluster://…` and the same with
 * `rediss`.
 */
export function whyNoRedis(address: string): string | undefined {
  if (/^\/(?!\/)/.test(address)) return undefined
  const [, kind] = /^rediss?\+(sentinel|cluster):/i.exec(address) ?? []
  if (kind !== undefined) {
    const example = /sentinel/i.test(kind) ? examples.sentinel : examples.cluster
    return severalIn(address) ? undefined : `cannot be read; write it as ${example}`
  }
  if (!/^rediss?:\/\//i.test(address))
    return 'begins with neither redis:// nor rediss://, and is no path of a Unix socket that begins with /; write it as redis://:password@host:6379 or /run/redis.sock'
  if (isReadable(address)) return undefined
  return 'cannot be read; write it as redis://user:password@host:6379, what is no letter or digit in its password escaped (%40 for @)'
}

/** What an address says. Throws where it is none. */
export function placeIn(address: string): Place {
  if (!/^rediss?\+/i.test(address)) return { kind: 'server', address }
  const place = severalIn(address)
  if (!place) throw new Error(`the address of Redis ${whyNoRedis(address)}`)
  return place
}

function isReadable(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { username, password } = new URL(address)
  return isEscaped(username + password)
}

function isEscaped(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text)
}

/** A URL has one host, so these are none. */
function severalIn(address: string): Place | undefined {
  const found =
    /^(rediss?)\+(sentinel|cluster):\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(
      address,
    )
  if (!found) return undefined
  const [, scheme = '', kind = '', username = '', password = '', list = '', path = '', query = ''] = found
  if (![username, password, path].every(isEscaped)) return undefined
  const isSentinel = kind.toLowerCase() === 'sentinel'
  const hosts = list.split(',').map((text) => hostIn(text, isSentinel ? SENTINEL_PORT : PORT))
  if (!hosts.every((host) => host !== undefined)) return undefined
  const login = {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(scheme.toLowerCase() === 'rediss' && { tls: {} }),
  }
  const asked = new URLSearchParams(query)
  const sentinelPassword = asked.get('sentinel_password') ?? ''
  asked.delete('sentinel_password')
  if (asked.size > 0) return undefined
  if (!isSentinel) return path === '' && query === '' ? { kind: 'cluster', hosts, login } : undefined
  const [, name = '', db = '0'] = /^([^/]+)(?:\/(\d{1,5}))?$/.exec(path) ?? []
  if (name === '') return undefined
  return { kind: 'sentinel', hosts, name: decodeURIComponent(name), db: Number(db), sentinelPassword, login }
}

/** `host`, `host:port`, `[::1]:port`. */
function hostIn(text: string, usual: number): Host | undefined {
  const [, host = '', port] = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? []
  return host === '' || Number(port) > 65_535
    ? undefined
    : { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? usual) }
}

/** A Redis as files and messages may name it: without user and password, wherever they stand. */
export function nameOfRedis(address: string, prefix: string): string {
  return `${placeOf(address)} ${prefix}`
}

function placeOf(address: string): string {
  if (address.startsWith('/')) return address.replace(/\?.*$/, '')
  if (/^rediss?\+/i.test(address)) return address.replace(/^[^:]*:\/\/(?:.*@)?/, '').replace(/\?.*$/, '')
  if (!/^rediss?:/i.test(address)) return address.slice(address.lastIndexOf('@') + 1)
  const { host, pathname } = new URL(address)
  return `${host}${pathname}`
}
