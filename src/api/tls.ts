import type { TLSSocket } from 'node:tls'
import type { TlsSettings } from '../config/web/load.ts'

/** Why a client's certificate does not let it in; undefined where it does, or where none is asked for. */
export function whyNotLetIn(socket: TLSSocket, { clientAuth, allowedSans }: TlsSettings): string | undefined {
  if (clientAuth === 'none' || clientAuth === 'request') return undefined
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return clientAuth === 'verify if given' ? undefined : 'it shows no certificate'
  if (clientAuth !== 'require any' && !socket.authorized) return 'its certificate is not of a known authority'
  if (
    allowedSans === undefined ||
    alternativeNames(certificate.subjectAltName).some((name) => allowedSans.includes(name))
  )
    return undefined
  return 'no name of its certificate is allowed'
}

/** What a verified client's certificate calls it, best first: alternative names, then the common name. */
export function namesOf(socket: TLSSocket): string[] {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (!certificate) return []
  const common = /^CN=(.*)$/m.exec(certificate.subject)?.[1]
  return [...alternativeNames(certificate.subjectAltName), ...(common === undefined ? [] : [common]), 'a certificate']
}

const kinds = new Set(['DNS', 'IP Address', 'URI', 'email'])
const entry = /([\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy

/** Names as Node prints them, `DNS:a, IP Address:10.0.0.1`, in the form that Go compares. */
export function alternativeNames(printed: string | undefined): string[] {
  return [...(printed ?? '').matchAll(entry)].flatMap(([, kind = '', value = '']) => {
    if (!kinds.has(kind)) return []
    // an address of IPv6 is printed in full
    if (kind === 'IP Address' && value.includes(':'))
      return URL.canParse(`http://[${value}]`) ? [new URL(`http://[${value}]`).hostname.slice(1, -1)] : []
    // what holds a comma or a quote is printed as a JSON text
    return value.startsWith('"') ? unquoted(value) : [value]
  })
}

function unquoted(value: string): string[] {
  try {
    return [String(JSON.parse(value))]
  } catch {
    return []
  }
}
