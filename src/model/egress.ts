// Where requests may go. Addresses are judged as bytes: every IPv4 address as the IPv6 one that stands for it.

/** A range of addresses. */
export interface Range {
  bytes: readonly number[] // 16
  bits: number // how many of them count, of 128
}

/** What the file says of private and loopback addresses: all, none, or these. */
export interface Egress {
  allowPrivate: boolean | readonly Range[]
}

export const everywhere: Egress = { allowPrivate: true }

/** What an adapter is told beside its own settings. */
export interface Surroundings {
  egress: Egress
  /** Where Twilio is to report what became of an SMS; none where it cannot reach us. */
  statusCallback?: string | undefined
  /** Variables of the environment, which may name proxies. */
  env?: Readonly<Record<string, string | undefined>>
  /** What names of files in `http_config` are relative to; the working directory where it is not given. */
  folder?: string
}

/** What an address is, where it is no public one. */
type Kind = 'private' | 'link-local' | 'unusable'

/**
 * Why nothing may be sent to an address, in words; undefined where something may. `literal`: the host stands in the file
 * itself, and comes from no template.
 */
export function whyRefused(address: string, { allowPrivate }: Egress, literal: boolean): string | undefined {
  const bytes = toBytes(address)
  if (!bytes) return 'it is no address'
  const forms = [bytes, ...embedded(bytes)]
  const kind = forms.map(kindOf).find((one) => one !== undefined)
  if (kind === undefined) return undefined
  if (kind === 'unusable') return 'the address is no single host'
  const isListed =
    typeof allowPrivate !== 'boolean' && forms.some((form) => allowPrivate.some((range) => isWithin(form, range)))
  if (literal && isListed) return undefined
  if (kind === 'link-local') return 'the address is link-local, where clouds keep their credentials'
  if (!literal) return 'the address is private, and the host comes from a template'
  return allowPrivate === true ? undefined : 'the address is private, and egress.allow_private does not hold it'
}

/** `10.0.0.0/8`, `fd00::/8` or one address; undefined for what is none. */
export function parseRange(text: string): Range | undefined {
  const [address = '', length, ...more] = text.split('/')
  const bytes = toBytes(address)
  if (!bytes || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined
  const skipped = address.includes(':') ? 0 : 96
  const bits = length === undefined ? 128 : Number(length) + skipped
  return bits <= 128 ? { bytes, bits } : undefined
}

/** Whether a host is an address of a range; a name is of none. */
export function isIn(host: string, one: Range): boolean {
  const bytes = toBytes(host)
  return bytes !== undefined && isWithin(bytes, one)
}

const range = (text: string): Range => {
  const parsed = parseRange(text)
  if (!parsed) throw new Error(`${text} is no range`)
  return parsed
}

const unusable = ['0.0.0.0/8', '224.0.0.0/3', '::/128', 'ff00::/8'].map(range)
const linkLocal = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254', 'fd20:ce::254'].map(range)
const privates = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1',
  'fc00::/7',
  'fec0::/10',
].map(range)

function kindOf(bytes: readonly number[]): Kind | undefined {
  const isOf = (one: Range) => isWithin(bytes, one)
  if (unusable.some(isOf)) return 'unusable'
  if (linkLocal.some(isOf)) return 'link-local'
  return privates.some(isOf) ? 'private' : undefined
}

function isWithin(bytes: readonly number[], { bytes: of, bits }: Range): boolean {
  return bytes.every((byte, i) => {
    const shift = 8 - Math.min(8, Math.max(0, bits - 8 * i))
    return byte >> shift === (of[i] ?? 0) >> shift
  })
}

/** Prefixes behind which an IPv4 address stands, and at which byte it does. */
const holders: readonly (readonly [Range, number])[] = [
  [range('::/96'), 12], // as such, which nobody uses any more
  [range('::ffff:0:0:0/96'), 12], // SIIT (RFC 2765)
  [range('64:ff9b::/96'), 12], // NAT64 (RFC 6052)
  [range('64:ff9b:1::/48'), 12], // NAT64 of a network of one's own (RFC 8215)
  [range('2002::/16'), 2], // 6to4 (RFC 3056)
]
const teredo = range('2001::/32')
const loopback6 = range('::1')

/** The IPv4 addresses that an IPv6 one leads to, each as its IPv6 form. */
function embedded(bytes: readonly number[]): number[][] {
  if (isWithin(bytes, loopback6)) return []
  const found = holders.filter(([holder]) => isWithin(bytes, holder)).map(([, at]) => mapped(bytes.slice(at, at + 4)))
  if (isWithin(bytes, teredo)) found.push(mapped(bytes.slice(12).map((byte) => byte ^ 0xff)))
  return found
}

function mapped(four: readonly number[]): number[] {
  return [...Array<number>(10).fill(0), 0xff, 0xff, ...four]
}

/** An address as 16 bytes, its zone left out; undefined for what is none. */
export function toBytes(address: string): number[] | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)
  if (four) {
    const bytes = four.slice(1).map(Number)
    return bytes.every((byte) => byte < 256) ? mapped(bytes) : undefined
  }
  const text = address.replace(/%.*$/, '')
  if (!text.includes(':') || !URL.canParse(`http://[${text}]`)) return undefined
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)))
  const first = groups(head)
  const last = groups(tail ?? '')
  const whole = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return whole.flatMap((group) => [group >> 8, group & 0xff])
}
