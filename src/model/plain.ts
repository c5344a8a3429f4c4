/**
 * An unquoted scalar of a YAML file that is no text to YAML 1.1 (a boolean, a number), with its text as
 * written: which of the two counts is for the field to say that it stands in.
 */
export class Plain {
  readonly text: string
  readonly value: boolean | number
  constructor(text: string, value: boolean | number) {
    this.text = text
    this.value = value
  }
}

const spelled = (words: string) =>
  words.split(' ').flatMap((w) => [w, w.toUpperCase(), w[0]?.toUpperCase() + w.slice(1)])
const truths = new Set(spelled('true yes on y'))
const falsehoods = new Set(spelled('false no off n'))
const nulls = new Set(['', '~', 'null', 'Null', 'NULL'])
const specials: Record<string, number> = Object.fromEntries(
  spelled('inf').flatMap((word) => [
    [`.${word}`, Infinity],
    [`+.${word}`, Infinity],
    [`-.${word}`, -Infinity],
  ]),
)
const float = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/

/** What an unquoted scalar is (https://yaml.org/type/, as Go's yaml.v2 reads it): null, a text, or something typed. */
export function fromPlain(text: string): null | string | Plain {
  if (nulls.has(text)) return null
  if (truths.has(text)) return new Plain(text, true)
  if (falsehoods.has(text)) return new Plain(text, false)
  if (/^[^\d.+-]/.test(text)) return text
  const special = ['.nan', '.NaN', '.NAN'].includes(text) ? Number.NaN : specials[text]
  if (special !== undefined) return new Plain(text, special)
  const digits = text.replaceAll('_', '')
  if (integer.test(digits)) return new Plain(text, toInteger(digits))
  return float.test(digits) ? new Plain(text, Number(digits)) : text
}

function toInteger(digits: string): number {
  const magnitude = digits.replace(/^[-+]/, '').replace(/^0(?=\d)/, '0o')
  return digits.startsWith('-') ? 0 - Number(magnitude) : Number(magnitude)
}

const core = 'tag:yaml.org,2002:'

/** A scalar that is quoted, a block, or has a tag; undefined where the tag says what the text is not. */
export function fromTagged(text: string, tag: string | undefined): null | string | Plain | undefined {
  const kind = tag?.startsWith(core) ? tag.slice(core.length) : ''
  if (kind === 'binary') return fromBase64(text)
  if (!['null', 'bool', 'int', 'float'].includes(kind)) return text
  const plain = fromPlain(text)
  if (kind === 'null') return plain === null ? null : undefined
  if (!(plain instanceof Plain)) return undefined
  const isWhole = typeof plain.value === 'number' && integer.test(text.replaceAll('_', ''))
  const fits = { bool: typeof plain.value === 'boolean', int: isWhole, float: typeof plain.value === 'number' }
  return fits[kind as keyof typeof fits] ? plain : undefined
}

function fromBase64(text: string): string | undefined {
  const body = text.replace(/[\r\n]/g, '')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(body)) return undefined
  return new TextDecoder().decode(Uint8Array.from(atob(body), (character) => character.charCodeAt(0)))
}
