import { quoteGo } from '../../model/quote.ts'
import { type Context, inError } from './context.ts'
import { type Step, excerpt } from './step.ts'

/** JavaScript outside of its literals and comments. */
export function script(context: Context, text: string): Step {
  const at = text.search(/["`'/{}<#-]/)
  if (at === -1) return [{ ...context, slash: slashAfter(text, context.slash) }, text.length]
  const slash = slashAfter(text.slice(0, at), context.slash)
  let here: Context = { ...context, slash }
  const { braces } = here
  switch (text[at]) {
    case '"':
      return [{ ...here, state: 'JSDqStr', slash: 'Regexp' }, at + 1]
    case "'":
      return [{ ...here, state: 'JSSqStr', slash: 'Regexp' }, at + 1]
    case '`':
      return [{ ...here, state: 'JSTmplLit', slash: 'Regexp' }, at + 1]
    case '/':
      if (text[at + 1] === '/') return [{ ...here, state: 'JSLineCmt' }, at + 2]
      if (text[at + 1] === '*') return [{ ...here, state: 'JSBlockCmt' }, at + 2]
      if (slash === 'Regexp') return [{ ...here, state: 'JSRegexp' }, at + 1]
      if (slash === 'DivOp') return [{ ...here, slash: 'Regexp' }, at + 1]
      return [inError(`'/' could start a division or regexp: ${excerpt(text.slice(at))}`), text.length]
    case '<':
      return text.startsWith('<!--', at) ? [{ ...here, state: 'JSHTMLOpenCmt' }, at + 4] : [here, at + 1]
    case '-':
      return text.startsWith('-->', at) ? [{ ...here, state: 'JSHTMLCloseCmt' }, at + 3] : [here, at + 1]
    case '#': {
      if (text[at + 1] === '!') return [{ ...here, state: 'JSLineCmt' }, at + 2]
      // the name of a private field is no keyword
      const [name = ''] = /^[$0-9A-Z_a-z]*/.exec(text.slice(at + 1)) ?? []
      return [{ ...here, slash: 'DivOp' }, at + 1 + name.length]
    }
    default: {
      // a brace: which of them ends `${` matters in a template literal only
      here = { ...here, slash: 'Regexp' }
      const open = braces.at(-1)
      if (open === undefined) return [here, at + 1]
      const outer = braces.slice(0, -1)
      if (text[at] === '{') return [{ ...here, braces: [...outer, open + 1] }, at + 1]
      if (open > 0) return [{ ...here, braces: [...outer, open - 1] }, at + 1]
      return [{ ...here, state: 'JSTmplLit', slash, braces: outer }, at + 1]
    }
  }
}

const beforeRegexp = new Set(
  'break case continue delete do else finally in instanceof return throw try typeof void yield'.split(' '),
)
/** White space of ECMA-262 §12.2 and its line ends. */
const blank = /[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/

/** Where a text ends, white space behind it left out. */
function endOf(text: string): number {
  let end = text.length
  while (end > 0 && blank.test(text[end - 1] ?? '')) end -= 1
  return end
}

/** Whether a `/` behind this text divides or begins a regexp: an approximation, as the grammar needs a parser. */
function slashAfter(text: string, before: Context['slash']): Context['slash'] {
  const end = endOf(text)
  if (end === 0) return before
  const last = text[end - 1] ?? ''
  if (last === '+' || last === '-') {
    let start = end - 1
    while (start > 0 && text[start - 1] === last) start -= 1
    return (end - start) % 2 === 1 ? 'Regexp' : 'DivOp' // `++` and `--` end an operand
  }
  if (last === '.') return /[0-9]/.test(text[end - 2] ?? '') ? 'DivOp' : 'Regexp'
  if (',<>=*%&|^?!~([:;{}'.includes(last)) return 'Regexp'
  let start = end
  while (start > 0 && /[$0-9A-Z_a-z]/.test(text[start - 1] ?? '')) start -= 1
  if (!beforeRegexp.has(text.slice(start, end))) return 'DivOp'
  const isProperty = text[endOf(text.slice(0, start)) - 1] === '.'
  return isProperty ? 'DivOp' : 'Regexp'
}

/** A string or a regexp. */
export function scriptLiteral(context: Context, text: string): Step {
  const specials = context.state === 'JSDqStr' ? /[\\"]/g : context.state === 'JSSqStr' ? /[\\']/g : /[\\/[\]]/g
  let inCharset = false
  for (let found = specials.exec(text); found; found = specials.exec(text)) {
    const at = found.index
    switch (found[0]) {
      case '\\':
        if (at + 1 === text.length) return unfinishedEscape(text)
        specials.lastIndex = at + 2
        break
      case '[':
        inCharset = true
        break
      case ']':
        inCharset = false
        break
      default:
        if (at > 0 && /^<\/script/i.test(text.slice(at - 1, at + 7))) {
          specials.lastIndex = at + 2 // escaped later, it does not end a regexp
        } else if (!inCharset) {
          return [{ ...context, state: 'JS', slash: 'DivOp' }, at + 1]
        }
    }
  }
  if (inCharset) return [inError(`unfinished JS regexp charset: ${quoteGo(text)}`), text.length]
  return [context, text.length]
}

function unfinishedEscape(text: string): Step {
  return [inError(`unfinished escape sequence in JS string: ${quoteGo(text)}`), text.length]
}

export function scriptTemplate(context: Context, text: string): Step {
  const specials = /[`\\$]/g
  for (let found = specials.exec(text); found; found = specials.exec(text)) {
    const at = found.index
    if (found[0] === '\\') {
      if (at + 1 === text.length) return unfinishedEscape(text)
      specials.lastIndex = at + 2
    } else if (found[0] === '`') {
      return [{ ...context, state: 'JS' }, at + 1]
    } else if (text[at + 1] === '{') {
      return [{ ...context, state: 'JS', slash: 'Regexp', braces: [...context.braces, 0] }, at + 2]
    }
  }
  return [context, text.length]
}

/** A comment that ends with its line. */
export function scriptComment(context: Context, text: string): Step {
  const end = text.search(/[\n\r\u2028\u2029]/)
  return end === -1 ? [context, text.length] : [{ ...context, state: 'JS' }, end]
}
