import type { Attribute } from './context.ts'

/** What an attribute's value is; `unsafe` is text in a template, and no name that an action may print. */
type Kind = 'plain' | 'url' | 'style' | 'script' | 'srcset' | 'unsafe'

const kinds = new Map<string, Kind>([
  ...named('url', 'action archive background cite classid codebase data formaction href icon longdesc manifest'),
  ...named('url', 'poster profile src usemap xmlns'),
  ...named('plain', 'srclang'), // it only looks like a URL's
  ...named('style', 'style'),
  ...named('srcset', 'srcset'),
  ...named('unsafe', 'async challenge charset content crossorigin defer enctype form formenctype formmethod'),
  ...named('unsafe', 'formnovalidate http-equiv keytype language method novalidate pattern rel sandbox srcdoc type'),
  ...named('unsafe', 'value'),
])

function named(kind: Kind, names: string): [string, Kind][] {
  return names.split(' ').map((name) => [name, kind])
}

/** In lower case, each character for itself: JavaScript makes two of `İ`. */
export function lowerCase(name: string): string {
  return name.replaceAll('İ', 'i').toLowerCase()
}

/** The kind of an attribute by its name in lower case; of a name that HTML doesn't have, by what it looks like. */
export function attributeKind(name: string): Kind {
  let short = name
  if (name.startsWith('data-')) {
    short = name.slice('data-'.length)
  } else if (name.includes(':')) {
    if (name.startsWith('xmlns:')) return 'url'
    short = name.slice(name.indexOf(':') + 1)
  }
  const known = kinds.get(short)
  if (known) return known
  if (short.startsWith('on')) return 'script'
  return /src|uri|url/.test(short) ? 'url' : 'plain'
}

export const attributes: Record<Kind, Attribute> = {
  plain: 'None',
  unsafe: 'None',
  url: 'URL',
  style: 'Style',
  script: 'Script',
  srcset: 'Srcset',
}

const scriptTypes = new Set([
  '',
  'module',
  'application/ecmascript',
  'application/javascript',
  'application/json',
  'application/ld+json',
  'application/x-ecmascript',
  'application/x-javascript',
  'text/ecmascript',
  'text/javascript',
  'text/javascript1.0',
  'text/javascript1.1',
  'text/javascript1.2',
  'text/javascript1.3',
  'text/javascript1.4',
  'text/javascript1.5',
  'text/jscript',
  'text/livescript',
  'text/x-ecmascript',
  'text/x-javascript',
])

/** Whether a script of this type is JavaScript or JSON. */
export function isScriptType(type: string): boolean {
  const [mime = ''] = type.split(';')
  return scriptTypes.has(lowerCase(mime).replace(/^\p{White_Space}+|\p{White_Space}+$/gu, ''))
}
