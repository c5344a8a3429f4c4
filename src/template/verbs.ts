import { toBytes } from '../model/bytes.ts'
import { isPrintable, quoteGo, quoteRune } from '../model/quote.ts'
import { binaryFloat, formatFloat, hexFloat } from './float.ts'
import { TemplateError } from './lex.ts'

// How Go's fmt writes texts and numbers by a verb and its flags. Each answers undefined where the verb is not for it.

/** As many characters as a text may be made of at once, by widths and precisions or by repeating a part. */
export const LONGEST = 1_000_000

/** What stands between `%` and the verb. */
export class Flags {
  minus = false
  plus = false
  sharp = false
  space = false
  zero = false
  goSyntax = false // %#v
  names = false // %+v
  width: number | undefined
  precision: number | undefined
  #padding: { left: number }

  constructor(padding = { left: LONGEST }) {
    this.#padding = padding
  }

  with(over: Partial<Pick<Flags, 'plus' | 'zero'>>): Flags {
    return Object.assign(new Flags(this.#padding), this, over)
  }

  /** So many characters; throws TemplateError where there were too many already. */
  fill(filling: string, count: number): string {
    if (count <= 0) return ''
    this.#padding.left -= count
    if (this.#padding.left < 0) throw new TemplateError(`more than ${LONGEST} characters of padding`)
    return filling.repeat(count)
  }

  /** In code points, on the left unless `-`. */
  pad(text: string): string {
    if (this.width === undefined || this.width === 0) return text
    const filling = this.fill(this.zero && !this.minus ? '0' : ' ', this.width - runeCount(text))
    return this.minus ? text + filling : filling + text
  }

  padWithSpaces(text: string): string {
    return this.with({ zero: false }).pad(text)
  }
}

export const noFlags = new Flags()

function runeCount(text: string): number {
  let count = text.length
  for (let at = 0; at < text.length; at++) {
    if ((text.codePointAt(at) ?? 0) <= 0xffff) continue
    at += 1
    count -= 1
  }
  return count
}

function cut(text: string, { precision }: Flags): string {
  if (precision === undefined || text.length <= precision) return text
  let end = 0
  for (let count = 0; count < precision && end < text.length; count++)
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return text.slice(0, end)
}

export function formatText(verb: string, value: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'v':
      return flags.goSyntax ? quoted(value, flags) : flags.pad(cut(value, flags))
    case 's':
      return flags.pad(cut(value, flags))
    case 'q':
      return quoted(value, flags)
    case 'x':
    case 'X':
      return hexOf(verb, value, flags)
    default:
      return undefined
  }
}

function quoted(value: string, flags: Flags): string {
  const text = cut(value, flags)
  const canRaw = flags.sharp && !/[`\p{Surrogate}\ufeff\x7f]|[^\P{Cc}\t\x80-\x9f]/u.test(text)
  return flags.pad(canRaw ? `\`${text}\`` : quoteGo(text, flags.plus))
}

function hexOf(verb: string, value: string, flags: Flags): string {
  const bytes = toBytes(value).subarray(0, flags.precision)
  const prefix = flags.sharp ? '0x' : ''
  const between = flags.space ? ` ${prefix}` : ''
  let text = bytes.length > 0 ? prefix : ''
  for (const [i, byte] of bytes.entries()) text += (i > 0 ? between : '') + byte.toString(16).padStart(2, '0')
  return flags.pad(verb === 'X' ? text.toUpperCase() : text)
}

export function formatBoolean(verb: string, value: boolean, flags: Flags): string | undefined {
  return verb === 't' || verb === 'v' ? flags.pad(String(value)) : undefined
}

export function formatComplex(verb: string, real: number, imaginary: number, flags: Flags): string | undefined {
  const part = formatNumber(verb, real, flags)
  return part && `(${part}${formatNumber(verb, imaginary, flags.with({ plus: true }))}i)`
}

export function formatNumber(verb: string, value: number, flags: Flags): string | undefined {
  const digits = unsigned(verb, Math.abs(value), flags)
  if (digits === undefined) return undefined
  const isNegative = value < 0 || Object.is(value, -0)
  const sign = isNegative ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
  if (Number.isNaN(value)) return flags.padWithSpaces(`${sign}NaN`)
  if (!Number.isFinite(value)) return flags.padWithSpaces(`${sign || '+'}Inf`)
  const body = flags.sharp && verb !== 'b' ? withPoint(digits, verb, flags) : digits
  const { zero, minus, width } = flags
  if (zero && !minus && width !== undefined && sign !== '')
    return sign + flags.fill('0', width - sign.length - body.length) + body
  return flags.pad(sign + body)
}

function unsigned(verb: string, value: number, flags: Flags): string | undefined {
  const { precision } = flags
  if (precision !== undefined && precision > 100) flags.fill('0', precision)
  switch (verb) {
    case 'v':
    case 'g':
      return formatFloat(value, 'g', precision ?? -1)
    case 'G':
      return formatFloat(value, 'g', precision ?? -1).toUpperCase()
    case 'e':
      return formatFloat(value, 'e', precision ?? 6)
    case 'E':
      return formatFloat(value, 'e', precision ?? 6).toUpperCase()
    case 'f':
    case 'F':
      return formatFloat(value, 'f', precision ?? 6)
    case 'x':
      return hexFloat(value, precision ?? -1)
    case 'X':
      return hexFloat(value, precision ?? -1).toUpperCase()
    case 'b':
      return binaryFloat(value)
    default:
      return undefined
  }
}

/** `#`: always a decimal point, and with g no zeros taken away. */
function withPoint(digits: string, verb: string, flags: Flags): string {
  const isHex = verb === 'x' || verb === 'X'
  const [mantissa = '', exponent = ''] = digits.split(isHex ? /(?=p)/i : /(?=e)/i)
  const pointed = mantissa.includes('.') ? mantissa : `${mantissa}.`
  if (!'vgGx'.includes(verb)) return pointed + exponent
  const significant = mantissa.replace('.', '').replace(/^0+/, '').length + (mantissa === '0' ? 1 : 0)
  const missing = (flags.precision ?? (isHex ? -1 : 6)) - significant
  return pointed + flags.fill('0', verb === 'x' && flags.precision === undefined ? 6 - significant : missing) + exponent
}

/** `isSigned`: Go's unsigned numbers are hexadecimal in Go syntax. */
export function formatWhole(verb: string, value: bigint, flags: Flags, isSigned = true): string | undefined {
  switch (verb) {
    case 'v':
      if (!flags.goSyntax || isSigned) return integer(value, 10, verb, flags)
      return integer(value, 16, verb, Object.assign(flags.with({}), { sharp: true }))
    case 'd':
      return integer(value, 10, verb, flags)
    case 'b':
      return integer(value, 2, verb, flags)
    case 'o':
    case 'O':
      return integer(value, 8, verb, flags)
    case 'x':
    case 'X':
      return integer(value, 16, verb, flags)
    case 'c':
      return flags.pad(character(value))
    case 'q':
      return flags.pad(quoteRune(character(value), flags.plus))
    case 'U': {
      const digits = BigInt.asUintN(64, value).toString(16).toUpperCase()
      const code = `U+${flags.fill('0', Math.max(4, flags.precision ?? 4) - digits.length)}${digits}`
      const isShown = flags.sharp && value >= 0n && value <= 0x10ffffn && isPrintable(character(value))
      return flags.padWithSpaces(isShown ? `${code} '${character(value)}'` : code)
    }
    default:
      return undefined
  }
}

function integer(value: bigint, base: number, verb: string, flags: Flags): string {
  const { precision, width, zero, minus, plus, space, sharp } = flags
  if (precision === 0 && value === 0n) return flags.padWithSpaces('')
  const sign = value < 0n ? '-' : plus ? '+' : space ? ' ' : ''
  const fillsWidth = precision === undefined && zero && !minus && width !== undefined
  const least = fillsWidth ? width - sign.length : (precision ?? 0)
  const magnitude = (value < 0n ? -value : value).toString(base)
  let digits = flags.fill('0', least - magnitude.length) + (verb === 'X' ? magnitude.toUpperCase() : magnitude)
  if (sharp && base === 2) digits = `0b${digits}`
  if (sharp && base === 8 && !digits.startsWith('0')) digits = `0${digits}`
  if (sharp && base === 16) digits = `0${verb === 'X' ? 'X' : 'x'}${digits}`
  if (verb === 'O') digits = `0o${digits}`
  return flags.padWithSpaces(sign + digits)
}

function character(value: bigint): string {
  const isRune = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value < 0xe000n)
  return isRune ? String.fromCodePoint(Number(value)) : '\ufffd'
}
