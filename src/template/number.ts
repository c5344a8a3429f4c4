import { quoteGo } from '../model/quote.ts'
import { TemplateError } from './lex.ts'
import { Complex } from './value.ts'

/** A number of a template: what it is by itself (undefined: too large), and as a whole number where one is asked for. */
export interface Numeral {
  value: bigint | number | Complex | undefined
  whole: bigint | undefined
}

/** Reads a number as Go's templates do; a character is one too. Throws TemplateError. */
export function parseNumber(text: string): Numeral {
  if (text.endsWith('i')) {
    if (/[^eEpP][+-]/.test(text)) return ofComplex(parseComplex(text))
    const imaginary = parseFloat(text.slice(0, -1))
    if (imaginary !== undefined && Number.isFinite(imaginary)) return ofComplex(new Complex(0, imaginary))
  }
  const integer = parseInteger(text)
  if (integer !== undefined && integer < 2n ** 64n && integer >= -(2n ** 63n)) {
    if (integer >= 2n ** 63n) return { value: undefined, whole: undefined }
    return { value: /^-0x.*e/i.test(text) ? Number(integer) : integer, whole: integer } // Go looks for an exponent
  }
  const float = parseFloat(text)
  if (float === undefined || !Number.isFinite(float)) throw new TemplateError(`illegal number syntax: ${quoteGo(text)}`)
  if (!/[.eEpP]/.test(text)) throw new TemplateError(`integer overflow: ${quoteGo(text)}`)
  return { value: float, whole: wholeOf(float) }
}

function ofComplex(value: Complex): Numeral {
  return { value, whole: value.imaginary === 0 ? wholeOf(value.real) : undefined }
}

function wholeOf(float: number): bigint | undefined {
  return Number.isInteger(float) && float >= -(2 ** 63) && float < 2 ** 63 ? BigInt(float) : undefined
}

/** `1+2i`, by the rules of Go's fmt.Sscan. */
function parseComplex(text: string): Complex {
  const token = String.raw`[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eEpP][+-]?[0-9_]*)?)`
  const [, real, imaginary] = new RegExp(`^(${token})(?=[+-])(${token})i`).exec(text) ?? []
  if (real === undefined || imaginary === undefined) throw new TemplateError('syntax error scanning complex number')
  return new Complex(scanned(real), scanned(imaginary))
}

function scanned(text: string): number {
  const value = parseFloat(text)
  if (value !== undefined && Number.isFinite(value)) return value
  const what = value === undefined ? 'invalid syntax' : 'value out of range'
  throw new TemplateError(`strconv.ParseFloat: parsing ${quoteGo(text)}: ${what}`)
}

/** strconv.ParseInt with base 0, of any size; undefined for what is no integer. */
function parseInteger(text: string): bigint | undefined {
  const [, sign, digits = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  const plain = withoutUnderscores(digits)
  if (plain === undefined) return undefined
  if (!/^(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.test(plain)) return undefined
  const value = BigInt(plain.replace(/^0(?=\d)/, '0o'))
  return sign === '-' ? -value : value
}

/** strconv.ParseFloat: decimal and hexadecimal, infinite where it is too large; undefined for what is no number. */
export function parseFloat(text: string): number | undefined {
  const [, sign, given = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  const negative = sign === '-' ? -1 : 1
  if (/^inf(?:inity)?$/i.test(given)) return negative * Infinity
  if (/^nan$/i.test(text)) return Number.NaN
  const digits = withoutUnderscores(given)
  if (digits === undefined) return undefined
  const hex = /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(digits)
  if (hex) {
    const [, whole = '', fraction = '', exponent = '0'] = hex
    if (whole + fraction === '') return undefined
    return negative * scaled(BigInt(`0x${whole}${fraction}`), Number(exponent) - 4 * fraction.length)
  }
  return /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(digits) ? negative * Number(digits) : undefined
}

/** In two steps, since 2 to the power of an exponent may leave the range where the product does not. */
function scaled(mantissa: bigint, exponent: number): number {
  const half = Math.trunc(exponent / 2)
  return Number(mantissa) * 2 ** half * 2 ** (exponent - half)
}

/** Underscores stand between digits, or behind a prefix; undefined where they do not. */
function withoutUnderscores(digits: string): string | undefined {
  if (!digits.includes('_')) return digits
  const isHex = /^0[xX]/.test(digits)
  const digit = isHex ? '[0-9a-fA-F]' : '[0-9]'
  const body = digits.replace(/^0[xXoObB]/, '0')
  return new RegExp(`(?<!${digit})_|_(?!${digit})`).test(body) ? undefined : digits.replaceAll('_', '')
}
