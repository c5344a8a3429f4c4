import { domainToASCII } from 'node:url'
import { isIn, parseRange } from '../model/egress.ts'
import type { ProxyConfig } from '../model/http-config.ts'
import { SettingError } from './notifier.ts'

/** The proxy that a request to a URL goes through; undefined where it goes through none. */
export type ProxyFor = (url: URL) => URL | undefined

/** Which proxy an `http_config` or the environment names, as Go's httpproxy finds it. Throws SettingError where one is no URL. */
export function proxyFinder(
  { proxy_url, no_proxy, proxy_from_environment }: ProxyConfig,
  env: Readonly<Record<string, string | undefined>> = {},
): ProxyFor {
  if (proxy_from_environment) {
    const proxyOf = (name: string) => proxyAt(env[name] || env[name.toLowerCase()] || '', name)
    const proxies = { http: proxyOf('HTTP_PROXY'), https: proxyOf('HTTPS_PROXY') }
    const isExempt = exemptions(env['NO_PROXY'] || env['no_proxy'] || '')
    return (url) => (isExempt(url) ? undefined : proxies[url.protocol === 'https:' ? 'https' : 'http'])
  }
  const proxy = proxyAt(proxy_url ?? '', 'proxy_url')
  if (!no_proxy) return () => proxy // to this machine too: only a list of exemptions leaves that out
  const isExempt = exemptions(no_proxy)
  return (url) => (isExempt(url) ? undefined : proxy)
}

const schemes = new Set(['http:', 'https:', 'socks5:', 'socks5h:'])

/** A proxy's URL, `http://` where it has no scheme. What is wrong with it is told without it: it may hold a password. */
function proxyAt(text: string, key: string): URL | undefined {
  if (text === '') return undefined
  const given = text.includes('://') ? text : `http://${text}`
  if (!URL.canParse(given) || new URL(given).host === '')
    throw new SettingError(`${key} is not a URL; write it as http://host:port`)
  const url = new URL(given)
  if (!schemes.has(url.protocol)) throw new SettingError(`${key}: a proxy is spoken to by http, https or socks5`)
  return url
}

/** A URL's host, an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

/** A URL's port, its scheme's own where it names none. */
export function portOf({ port, protocol }: URL): number {
  const usual: Record<string, number> = { 'https:': 443, 'socks5:': 1080, 'socks5h:': 1080 }
  return Number(port) || (usual[protocol] ?? 80)
}

/** Hosts that `no_proxy` takes out, and this machine. */
export function exemptions(list: string): (url: URL) => boolean {
  const parts = list.split(',').map((part) => part.trim().toLowerCase())
  const rules = parts.map(exemption)
  return (url) => {
    const host = hostOf(url)
    if (host === 'localhost' || loopback.some((range) => range && isIn(host, range))) return true
    return rules.some((fits) => fits(host, portOf(url)))
  }
}

const loopback = ['127.0.0.0/8', '::1'].map(parseRange)

/** `10.0.0.0/8`, `10.0.0.1:80`, `foo.com` (and what is under it), `.foo.com` or `*.foo.com` (only that), `*`. */
function exemption(part: string): (host: string, port: number) => boolean {
  if (part === '*') return () => true
  const range = parseRange(part)
  if (range) return (host) => isIn(host, range)
  const [, six, other, end] = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(part) ?? []
  const name = six ?? other ?? part
  const isPort = (port: number) => !end || end === String(port)
  const address = parseRange(name)
  if (address && !name.includes('/')) return (host, port) => isIn(host, address) && isPort(port)
  if (name === '') return () => false
  const isUnder = /^\*?\./.test(name)
  const bare = name.replace(/^\*?\./, '')
  const domain = domainToASCII(bare) || bare
  return (host, port) => isPort(port) && (host.endsWith(`.${domain}`) || (!isUnder && host === domain))
}
