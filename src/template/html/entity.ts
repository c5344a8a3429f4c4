/** Of HTML's 2231 named entities those that stand for ASCII or a blank: only these can end or change a context. */
const named: Record<string, string> = {
  Tab: '\t',
  NewLine: '\n',
  excl: '!',
  quot: '"',
  QUOT: '"',
  num: '#',
  dollar: '$',
  percnt: '%',
  amp: '&',
  AMP: '&',
  apos: "'",
  lpar: '(',
  rpar: ')',
  ast: '*',
  midast: '*',
  plus: '+',
  comma: ',',
  period: '.',
  sol: '/',
  colon: ':',
  semi: ';',
  lt: '<',
  LT: '<',
  nvlt: '<\u20d2',
  equals: '=',
  bne: '=\u20e5',
  gt: '>',
  GT: '>',
  nvgt: '>\u20d2',
  quest: '?',
  commat: '@',
  lsqb: '[',
  lbrack: '[',
  bsol: '\\',
  rsqb: ']',
  rbrack: ']',
  Hat: '^',
  lowbar: '_',
  UnderBar: '_',
  grave: '`',
  DiacriticalGrave: '`',
  fjlig: 'fj',
  lcub: '{',
  lbrace: '{',
  verbar: '|',
  vert: '|',
  VerticalLine: '|',
  rcub: '}',
  rbrace: '}',
  nbsp: '\u00a0',
  NonBreakingSpace: '\u00a0',
  ensp: '\u2002',
  emsp: '\u2003',
  emsp13: '\u2004',
  emsp14: '\u2005',
  numsp: '\u2007',
  puncsp: '\u2008',
  thinsp: '\u2009',
  ThinSpace: '\u2009',
  hairsp: '\u200a',
  VeryThinSpace: '\u200a',
  MediumSpace: '\u205f',
  ThickSpace: '\u205f\u200a',
}
/** In the place of all others, which are alike where a context is looked for. */
const other = 'é'
/** HTML knows these without `;` too, and with anything behind them; `&ltimes;` and its like are others. */
const bare = /^(?:amp|AMP|LT|GT|quot|QUOT|nbsp|[lg]t(?!\w+;))/

/** The numbers below 160 are read as windows-1252. */
const windows1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/**
 * The value of an attribute as a browser reads it (https://html.spec.whatwg.org/#character-reference-state), as
 * far as its context goes.
 */
export function unescapeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?|([a-zA-Z0-9]+)(;?))/g,
    (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined, semicolon: string) => {
      if (name === undefined) return character(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
      if (semicolon === ';' && Object.hasOwn(named, name)) return named[name] ?? ''
      const [prefix] = bare.exec(name + semicolon) ?? []
      if (prefix !== undefined) return `${named[prefix] ?? ''}${name.slice(prefix.length)}${semicolon}`
      return semicolon === ';' ? other : whole
    },
  )
}

function character(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return windows1252[code - 0x80] ?? ''
  const isNone = code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
  return isNone ? '\ufffd' : String.fromCodePoint(code)
}
