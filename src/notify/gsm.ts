import { boundary } from './cut.ts'

// GSM 03.38: https://www.etsi.org/deliver/etsi_gts/03/0338/ (basic character set and its extension)

const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const extension = new Set('^{}\\[~]|€')

const plain: Record<string, string> = {
  '‘': "'",
  '’': "'",
  '‚': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '–': '-',
  '—': '-',
  '−': '-',
  '…': '...',
  '•': '*',
  '·': '-',
  '→': '->',
  '←': '<-',
  '×': 'x',
  '≥': '>=',
  '≤': '<=',
  '≠': '!=',
  '≈': '~',
  '\u00a0': ' ',
  '\t': ' ',
  '`': "'",
}

const invisible = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu

/** A text with what has a plain form in it, and without control and direction characters. */
export function plainText(text: string): string {
  return [...text.replaceAll('\r\n', '\n').replaceAll('\t', ' ').replace(invisible, '')]
    .map((character) => {
      if (basic.has(character) || extension.has(character)) return character
      if (plain[character] !== undefined) return plain[character]
      const bare = character.normalize('NFD').replace(/\p{M}/gu, '')
      return bare !== '' && [...bare].every((c) => basic.has(c)) ? bare : character
    })
    .join('')
}

export interface Size {
  encoding: 'GSM-7' | 'UCS-2'
  segments: number
}

/** How a text goes over the air: 160 or 70 characters in one segment, 153 or 67 in each of several, none of them split. */
export function sizeOf(text: string): Size {
  const widths: number[] = []
  for (const character of text) {
    if (basic.has(character)) widths.push(1)
    else if (extension.has(character)) widths.push(2)
    else
      return {
        encoding: 'UCS-2',
        segments: segmentsOf(
          [...text].map(({ length }) => length),
          70,
          67,
        ),
      }
  }
  return { encoding: 'GSM-7', segments: segmentsOf(widths, 160, 153) }
}

function segmentsOf(widths: readonly number[], alone: number, each: number): number {
  if (widths.reduce((sum, width) => sum + width, 0) <= alone) return 1
  let segments = 1
  let used = 0
  for (const width of widths) {
    if (used + width > each) {
      segments += 1
      used = 0
    }
    used += width
  }
  return segments
}

/** The text and behind it `tail`, the text cut between graphemes so that both fit into so many segments. */
export function fit(text: string, tail: string, segments: number): string {
  const whole = (said: string) => [said, tail].filter(Boolean).join(' ')
  const likely = text.slice(0, 160 * segments + 1) // more never fits
  if (likely === text && sizeOf(whole(text)).segments <= segments) return whole(text)
  const cutAt = (length: number) => whole(`${likely.slice(0, boundary(likely, length)).trimEnd()}...`)
  let fits = 0
  let tooLong = likely.length
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2)
    if (sizeOf(cutAt(middle)).segments <= segments) fits = middle
    else tooLong = middle
  }
  return cutAt(fits)
}
