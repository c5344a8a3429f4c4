import { toBytes } from '../../model/bytes.ts'
import type { Value } from '../value.ts'
import { refused, toPrinted } from './printed.ts'

/** At the beginning of a URL: refuses schemes that may run a script. */
export function filterUrl(value: Value): string {
  const { text, trusted } = toPrinted(value)
  return trusted === 'URL' || isHarmless(text) ? text : `#${refused}`
}

function isHarmless(url: string): boolean {
  const colon = url.indexOf(':')
  const scheme = url.slice(0, Math.max(colon, 0))
  return colon === -1 || scheme.includes('/') || /^(?:http|https|mailto)$/iu.test(scheme)
}

/** As a part of a URL that goes on. */
export function normaliseUrl(value: Value): string {
  return encode(toPrinted(value).text, true)
}

/** As one value in a query or fragment. */
export function escapeUrl(value: Value): string {
  const { text, trusted } = toPrinted(value)
  return encode(text, trusted === 'URL')
}

/** Percent-encodes; `whole`: what has a meaning in a URL keeps it. */
function encode(text: string, whole: boolean): string {
  const kept = whole ? /(%[0-9a-fA-F]{2}|[A-Za-z0-9._~!#$&*+,/:;=?@[\]-]+)/ : /([A-Za-z0-9._~-]+)/
  return text
    .split(kept)
    .map((part, i) => (i % 2 === 1 ? part : percent(part)))
    .join('')
}

function percent(text: string): string {
  return Array.from(toBytes(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

/** As the images of a srcset, each a URL and maybe its size. */
export function filterSrcset(value: Value): string {
  const { text, trusted } = toPrinted(value)
  if (trusted === 'URL') return encode(text, true).replaceAll(',', '%2c')
  return text.split(',').map(image).join(',')
}

function image(text: string): string {
  const [, before = '', url = '', size = ''] = /^([\t\n\f\r ]*)([^\t\n\f\r ]*)([^]*)$/.exec(text) ?? []
  return isHarmless(url) && /^[\t\n\f\r A-Za-z0-9]*$/.test(size) ? before + encode(url, true) + size : `#${refused}`
}
