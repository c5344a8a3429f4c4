/** The parts of a URL that a setting is judged by. */
interface Parts {
  scheme: string // '' where there is none
  authority: string | undefined // undefined where no `//` is
}

/**
 * Why a text is no URL to Go's `net/url`, in words that hold nothing of it; undefined where it is one. It
 * takes more than WHATWG's rules do: anything without a colon is a relative one.
 */
export function whyUnparsable(text: string): string | undefined {
  const parts = split(text)
  return typeof parts === 'string' ? parts : undefined
}

/** The same for one that must lead somewhere: http or https, with a host. */
export function whyNoUrl(text: string): string | undefined {
  const parts = split(text)
  if (typeof parts === 'string') return parts
  if (parts.scheme === '') return 'it has no scheme'
  if (parts.scheme !== 'http' && parts.scheme !== 'https') return 'its scheme is neither http nor https'
  const host = parts.authority?.slice(parts.authority.lastIndexOf('@') + 1)
  return host ? undefined : 'it has no host'
}

/** Whether Go takes it for a URL that leads somewhere by itself: one with a scheme, or a path (url.ParseRequestURI). */
export function isRequestUri(text: string): boolean {
  const parts = split(text)
  return typeof parts !== 'string' && (parts.scheme !== '' || text.startsWith('/'))
}

const badEscape = /%(?![0-9a-fA-F]{2})/

function split(text: string): Parts | string {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'it holds a control character'
  const [body, fragment] = cut(text, '#')
  if (badEscape.test(fragment)) return 'it holds a % that begins no escape'
  if (body.startsWith(':')) return 'it has no scheme before its colon'
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(body)?.[1] ?? ''
  const [rest] = cut(scheme ? body.slice(scheme.length + 1) : body, '?')
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { scheme: scheme.toLowerCase(), authority: undefined }
    if (/^[^/]*:/.test(rest)) return 'it has no scheme before its colon'
  }
  const authority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///')) ? rest.slice(2) : undefined
  const [place = '', ...path] = authority === undefined ? [undefined, rest] : authority.split('/')
  const wrong = authority === undefined ? undefined : whyNoAuthority(place)
  if (wrong) return wrong
  if (badEscape.test(path.join('/'))) return 'it holds a % that begins no escape'
  return { scheme: scheme.toLowerCase(), authority: authority === undefined ? undefined : place }
}

function whyNoAuthority(authority: string): string | undefined {
  const at = authority.lastIndexOf('@')
  const user = at < 0 ? '' : authority.slice(0, at)
  const host = authority.slice(at + 1)
  if (/[^A-Za-z0-9\-._:~!$&'()*+,;=%@]/.test(user) || badEscape.test(user)) return 'its user or password is not escaped'
  const literal = /^\[([^%\]]*)(?:%25[^\]]+)?\](.*)$/.exec(host)
  if (host.includes('[') && !(literal && URL.canParse(`http://[${literal[1]}]`) && literal[1]?.includes(':')))
    return 'its host holds brackets, but no IPv6 address in them'
  const port = literal ? literal[2] : /:[^:]*$/.exec(host)?.[0]
  if (!/^(?::\d*)?$/.test(port ?? '')) return 'its port is no number'
  // only bytes beyond ASCII may be escaped in a host
  if (badEscape.test(host) || (!literal && /%[0-7]/.test(host.replaceAll('%25', '')))) return 'its host holds an escape'
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0020#/?@\\^`{|}\u007f]/.test(host)) return 'its host holds a character that cannot be there'
  return undefined
}

function cut(text: string, at: string): [string, string] {
  const i = text.indexOf(at)
  return i < 0 ? [text, ''] : [text.slice(0, i), text.slice(i + 1)]
}
