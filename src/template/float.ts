/** A number's decimal digits, `0.d1d2d3… × 10^point`. Zero has none. */
interface Decimal {
  digits: string
  point: number
}

/**
 * A float as Go's strconv.FormatFloat writes it: verb e, f or g, `precision` digits (-1: the fewest that
 * read back). Ties go to the even digit, decided on the exact value.
 */
export function formatFloat(value: number, verb: 'e' | 'f' | 'g', precision: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const magnitude = Math.abs(value)
  if (precision < 0) {
    const decimal = shortest(magnitude)
    if (verb === 'e') return sign + scientific(decimal, Math.max(decimal.digits.length - 1, 0))
    if (verb === 'f') return sign + fixed(decimal, Math.max(decimal.digits.length - decimal.point, 0))
    return sign + general(decimal, 6, decimal.digits.length)
  }
  const exact = exactDecimal(magnitude)
  if (verb === 'e') return sign + scientific(round(exact, precision + 1), precision)
  if (verb === 'f') return sign + fixed(round(exact, exact.point + precision), precision)
  const wanted = precision || 1
  const decimal = round(exact, wanted)
  const { digits, point } = decimal
  const threshold = wanted > digits.length && digits.length >= point ? digits.length : wanted
  return sign + general(decimal, threshold, digits.length)
}

function shortest(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 }
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 }
}

function exactDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 }
  const { mantissa, exponent } = binary(value)
  const text = exponent >= 0 ? String(mantissa << BigInt(exponent)) : String(mantissa * 5n ** BigInt(-exponent))
  const point = exponent >= 0 ? text.length : text.length + exponent
  return { digits: text.replace(/0+$/, ''), point }
}

/** The same to so many digits. */
function round({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits, point }
  if (count < 0) return { digits: '', point: 0 }
  const kept = digits.slice(0, count)
  const next = digits[count] ?? '0'
  const isTie = next === '5' && count + 1 === digits.length
  const up = isTie ? Number(kept.at(-1) ?? 0) % 2 === 1 : next >= '5'
  if (!up) return { digits: kept.replace(/0+$/, ''), point: kept === '' ? 0 : point }
  const raised = String(BigInt(kept || '0') + 1n).padStart(kept.length, '0')
  return { digits: raised.replace(/0+$/, ''), point: raised.length > kept.length ? point + 1 : point }
}

function scientific({ digits, point }: Decimal, precision: number): string {
  const exponent = digits === '' ? 0 : point - 1
  const padded = digits.padEnd(precision + 1, '0')
  const fraction = precision > 0 ? `.${padded.slice(1, precision + 1)}` : ''
  return `${padded[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function fixed({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (precision <= 0) return whole
  const fraction = (point < 0 ? '0'.repeat(-point) : '') + digits.slice(Math.max(point, 0))
  return `${whole}.${fraction.padEnd(precision, '0').slice(0, precision)}`
}

function general(decimal: Decimal, threshold: number, length: number): string {
  const { digits, point } = decimal
  const exponent = point - 1
  if (exponent < -4 || exponent >= threshold) return scientific(decimal, Math.max(length - 1, 0))
  return fixed(decimal, Math.max(digits.length - point, 0))
}

/** A float that is not negative as mantissa and exponent, `mantissa × 2^exponent`. */
function binary(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const biased = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  return { mantissa: biased === 0 ? fraction : fraction | 0x10000000000000n, exponent: (biased || 1) - 1075 }
}

/** strconv's verb b: `4503599627370496p-52`. */
export function binaryFloat(value: number): string {
  const { mantissa, exponent } = binary(value)
  return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
}

/** strconv's verb x: `0x1.8p+01`; `precision` digits behind the point, -1: as many as it takes. */
export function hexFloat(value: number, precision: number): string {
  let { mantissa, exponent } = binary(value)
  if (mantissa === 0n) exponent = -52
  while (mantissa !== 0n && mantissa < 1n << 52n) {
    mantissa <<= 1n
    exponent -= 1
  }
  exponent += 52
  if (precision >= 0 && precision < 13) {
    const dropped = BigInt(52 - 4 * precision)
    const rest = mantissa & ((1n << dropped) - 1n)
    mantissa >>= dropped
    const half = 1n << (dropped - 1n)
    if (rest > half || (rest === half && mantissa % 2n === 1n)) mantissa += 1n
    mantissa <<= dropped
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n
      exponent += 1
    }
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, '0')
  const fraction = precision < 0 ? digits.replace(/0+$/, '') : digits.padEnd(precision, '0').slice(0, precision)
  const sign = exponent < 0 ? '-' : '+'
  return `0x${mantissa >> 52n}${fraction && `.${fraction}`}p${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}
