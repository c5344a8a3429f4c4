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

/** How a text goes over the air: 160 or 70 characters in one segment, 153 or 67 in each of several. */
export function sizeOf(text: string): Size {
  let septets = 0
  for (const character of text) {
    if (basic.has(character)) septets += 1
    else if (extension.has(character)) septets += 2
    else return { encoding: 'UCS-2', segments: text.length <= 70 ? 1 : Math.ceil(text.length / 67) }
  }
  return { encoding: 'GSM-7', segments: septets <= 160 ? 1 : Math.ceil(septets / 153) }
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** The text and behind it `tail`, the text cut between graphemes so that both fit into so many segments. */
export function fit(text: string, tail: string, segments: number): string {
  const whole = [text, tail].filter(Boolean).join(' ')
  if (sizeOf(whole).segments <= segments) return whole
  const parts = [...graphemes.segment(text)].map(({ segment }) => segment)
  const cut = (length: number) => [`${parts.slice(0, length).join('').trimEnd()}...`, tail].filter(Boolean).join(' ')
  let fits = 0
  let tooLong = parts.length
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2)
    if (sizeOf(cut(middle)).segments <= segments) fits = middle
    else tooLong = middle
  }
  return cut(fits)
}
