/**
 * Why a text is no address of a Redis, and how to write one, without anything of it: it may hold a password. Undefined where
 * it is one: `redis://…`, `rediss://…`, or the path of a Unix socket.
 */
export function whyNoRedis(address: string): string | undefined {
  if (/^\/(?!\/)/.test(address)) return undefined
  if (!/^rediss?:\/\//i.test(address))
    return 'begins with neither redis:// nor rediss://, and is no path of a Unix socket that begins with /; write it as redis://:password@host:6379 or /run/redis.sock'
  if (isReadable(address)) return undefined
  return 'cannot be read; write it as redis://user:password@host:6379, what is no letter or digit in its password escaped (%40 for @)'
}

function isReadable(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { username, password } = new URL(address)
  return !/%(?![0-9a-f]{2})/i.test(username + password)
}

/** A Redis as files and messages may name it: without user and password, wherever they stand. */
export function nameOfRedis(address: string, prefix: string): string {
  return `${placeOf(address)} ${prefix}`
}

function placeOf(address: string): string {
  if (address.startsWith('/')) return address.replace(/\?.*$/, '')
  if (!/^rediss?:/i.test(address)) return address.slice(address.lastIndexOf('@') + 1)
  const { host, pathname } = new URL(address)
  return `${host}${pathname}`
}
