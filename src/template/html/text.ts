import { type Context, type State, isComment, isScriptLiteral } from './context.ts'
import { afterText } from './transition.ts'

/** How long the beginning of a comment is. */
const beginnings: Partial<Record<State, number>> = { HTMLCmt: 4, JSHTMLOpenCmt: 4, JSHTMLCloseCmt: 3 }

/**
 * What a template's literal text leaves in the output, and the context behind it: comments go, a `<` that
 * begins no tag is escaped, and so is what would end a script's element from within a literal.
 */
export function throughText(before: Context, text: string): { context: Context; text: string } {
  let context = before
  let kept = ''
  let written = 0
  for (let at = 0; at < text.length;) {
    const [next, length] = afterText(context, text.slice(at))
    const end = at + length
    const { state } = context
    if (state === 'Text' || state === 'RCDATA') {
      const tag = next.state === state ? -1 : text.lastIndexOf('<', end - 1)
      const stop = tag >= at ? tag : end
      for (let i = text.indexOf('<', at); i !== -1 && i < stop; i = text.indexOf('<', i + 1)) {
        if (/^<!doctype/i.test(text.slice(i, i + 9))) continue
        kept += `${text.slice(written, i)}&lt;`
        written = i + 1
      }
    } else if (isComment(state) && context.delimiter === 'None') {
      kept += inPlaceOf(state, text.slice(written, end))
      written = end
    }
    if (next.state !== state && isComment(next.state) && next.delimiter === 'None') {
      kept += text.slice(written, end - (beginnings[next.state] ?? 2))
      written = end
    }
    if (isScriptLiteral(state)) {
      const part = text.slice(at, end)
      const escaped = part.replace(/<(script|\/script|!--)/gi, '\\x3C$1')
      if (escaped !== part) {
        kept += text.slice(written, at) + escaped
        written = end
      }
    }
    context = next
    at = end
  }
  // a comment that ends where the text begins was all in the text before
  if (written === 0) return { context, text }
  const isLost = isComment(context.state) && context.delimiter === 'None'
  return { context, text: isLost ? kept : kept + text.slice(written) }
}

/** A comment between two words keeps them apart, and one with a line break is one (ECMA-262 §12.4). */
function inPlaceOf(state: State, comment: string): string {
  if (state === 'JSBlockCmt') return /[\n\r\u2028\u2029]/.test(comment) ? '\n' : ' '
  return state === 'CSSBlockCmt' ? ' ' : ''
}
