/** What a browser says of the page that a request comes from; other programs say nothing of it. */
export interface Provenance {
  fetchSite: string | undefined // Sec-Fetch-Site
  origin: string | undefined // Origin
  host: string | undefined // Host: where the request believes itself to be
  secure: boolean // over TLS
}

/** What counts as ours beside the page's own host. */
export interface Ours {
  external: string // the external URL
  allowed: readonly string[] // origins that the operator named
  /** Whoever asks may do all: then the name that leads here must be one that a stranger cannot own (DNS rebinding). */
  anonymous: boolean
  hostname: string // of this machine
}

/**
 * Why a change is not taken from where it comes from; undefined where it may be. A page of another site must not be able
 * to silence alerts with what its visitor's browser may do.
 */
export function whyForeign({ fetchSite, origin, host, secure }: Provenance, ours: Ours): string | undefined {
  if (origin !== undefined && ours.allowed.includes(origin.toLowerCase())) return undefined
  const isBrowser = fetchSite !== undefined || origin !== undefined
  if (!isBrowser) return undefined
  if (origin !== undefined && origin === originOf(ours.external)) return undefined
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') return 'a page of another site asks for it'
  const isOwn = origin === undefined || origin === originOf(`${secure ? 'https' : 'http'}://${host ?? ''}`)
  // a proxy stands between that has put in another host, as Karma's does: the browser meant the page's own
  if (!isOwn && fetchSite === 'same-origin' && origin !== 'null') return undefined
  if (!isOwn) return 'a page of another origin asks for it'
  // a browser that names no origin says by Sec-Fetch-Site alone that the page is ours, as one behind a proxy's name is
  if (ours.anonymous && origin !== undefined && !isLocalName(host, ours.hostname))
    return `the name ${JSON.stringify(host ?? '')} is not known to lead here; set --web.external-url`
  return undefined
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : ''
}

/** An address, localhost or this machine's name: no name that a page's owner could point here. */
function isLocalName(host: string | undefined, hostname: string): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false
  const { hostname: name } = new URL(`http://${host}`)
  return /^(?:\[[0-9a-f:.]+\]|\d+\.\d+\.\d+\.\d+|localhost)$/.test(name) || name === hostname.toLowerCase()
}
