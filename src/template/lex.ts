/** A template that does not parse, or fails when it runs; in Go's words where it has some. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

export type Token =
  | { kind: 'text'; text: string; at: number }
  | { kind: 'open' | 'close'; at: number }
  | { kind: 'word' | 'field' | 'variable' | 'operator' | 'number' | 'string' | 'char'; text: string; at: number }

const comment = /\{\{(- )?\/\*[^]*?\*\/( -)?\}\}/y
const space = /[ \t\r\n]*/y
const patterns: readonly (readonly [Exclude<Token['kind'], 'text' | 'open' | 'close'>, RegExp])[] = [
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.)+'/y],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*\.?(?:[eE][+-]?\d+)?)/y,
  ],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['operator', /:=|[|(),=.]/y],
]

/** The parts of a template, comments left out and `{{- -}}` obeyed. Throws TemplateError. */
export function lex(source: string, name: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  let trimNext = false
  const addText = (to: number, trimRight: boolean) => {
    let text = source.slice(at, to)
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '')
    if (trimRight) text = text.replace(/[ \t\r\n]+$/, '')
    if (text) tokens.push({ kind: 'text', text, at })
    trimNext = false
  }

  while (at < source.length) {
    const open = source.indexOf('{{', at)
    if (open === -1) {
      addText(source.length, false)
      break
    }
    comment.lastIndex = open
    const found = comment.exec(source)
    if (found) {
      addText(open, found[1] !== undefined)
      at = open + found[0].length
      trimNext = found[2] !== undefined
      continue
    }
    const trims = source[open + 2] === '-' && /[ \t\r\n]/.test(source[open + 3] ?? '')
    addText(open, trims)
    tokens.push({ kind: 'open', at: open })
    at = open + (trims ? 3 : 2)
    for (;;) {
      space.lastIndex = at
      const gap = space.exec(source)?.[0].length ?? 0
      const inside = at + gap
      if (source.startsWith('}}', inside) || (gap > 0 && source.startsWith('-}}', inside))) {
        trimNext = source[inside] === '-'
        tokens.push({ kind: 'close', at: inside })
        at = inside + (trimNext ? 3 : 2)
        break
      }
      if (inside >= source.length) throw new TemplateError(`template: ${name}:${lineOf(source, open)}: unclosed action`)
      const token = lexOne(source, inside, gap > 0)
      if (!token) {
        const bad = JSON.stringify(source[inside])
        throw new TemplateError(`template: ${name}:${lineOf(source, inside)}: unexpected ${bad} in action`)
      }
      tokens.push(token)
      at = inside + token.text.length
    }
  }
  return tokens
}

function lexOne(source: string, at: number, spaced: boolean) {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at
    const found = pattern.exec(source)
    if (!found) continue
    // `a -1` is two operands, but `.5` after a word is a field's business
    if (kind === 'number' && !spaced && /^[+-]/.test(found[0]) && /[\w)]/.test(source[at - 1] ?? '')) continue
    return { kind, text: found[0], at }
  }
  return undefined
}

export function lineOf(source: string, at: number): number {
  let line = 1
  for (let i = 0; i < at; i++) if (source[i] === '\n') line += 1
  return line
}
