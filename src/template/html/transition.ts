import { quoteGo } from '../../model/quote.ts'
import { attributeKind, attributes, isScriptType, lowerCase } from './attribute.ts'
import {
  type Context,
  type Delimiter,
  type Element,
  type State,
  contentStates,
  htmlText,
  inError,
  isComment,
  isScriptLiteral,
  valueStates,
} from './context.ts'
import { unescapeEntities } from './entity.ts'
import { scriptComment, scriptLiteral, scriptTemplate, script } from './script.ts'
import { type Step, excerpt, spaces, url } from './step.ts'
import { style, styleText } from './style.ts'

/** Reads a text from its beginning up to where the context may change; the length is 0 only where the state changes. */
type Transition = (context: Context, text: string) => Step

const transitions: Record<State, Transition> = {
  Text: content,
  Tag: tag,
  AttrName: attributeName,
  AfterName: afterName,
  BeforeValue: beforeValue,
  HTMLCmt: htmlComment,
  RCDATA: untilEndTag,
  Attr: stay,
  URL: url,
  Srcset: url,
  JS: script,
  JSDqStr: scriptLiteral,
  JSSqStr: scriptLiteral,
  JSRegexp: scriptLiteral,
  JSTmplLit: scriptTemplate,
  JSBlockCmt: blockComment,
  JSLineCmt: scriptComment,
  JSHTMLOpenCmt: scriptComment,
  JSHTMLCloseCmt: scriptComment,
  CSS: style,
  CSSDqStr: styleText,
  CSSSqStr: styleText,
  CSSDqURL: styleText,
  CSSSqURL: styleText,
  CSSURL: styleText,
  CSSBlockCmt: blockComment,
  CSSLineCmt: styleComment,
  MetaContent: metaContent,
  MetaContentURL: metaUrl,
  Error: stay,
  Dead: stay,
}

export function transition(state: State, context: Context, text: string): Step {
  return transitions[state](context, text)
}

/** What ends a value. */
export const valueEnds: Record<Exclude<Delimiter, 'None'>, RegExp> = {
  DoubleQuote: /"/,
  SingleQuote: /'/,
  SpaceOrTagEnd: /[ \t\n\f\r>]/,
}

/** The context behind a first part of a literal text. */
export function afterText(context: Context, text: string): Step {
  if (context.delimiter === 'None') {
    const [ended, length] = untilEndTag(context, text)
    return length === 0 ? [ended, 0] : transition(context.state, context, text.slice(0, length))
  }
  const end = text.search(valueEnds[context.delimiter])
  const value = end === -1 ? text : text.slice(0, end)
  if (context.delimiter === 'SpaceOrTagEnd') {
    // browsers differ on where such a value ends
    const bad = /["'<=`]/.exec(value)
    if (bad) return [inError(`${quoteGo(bad[0])} in unquoted attr: ${quoteGo(value)}`), text.length]
  }
  if (end === -1) {
    let inside = context
    for (let rest = unescapeEntities(value); rest !== '';) {
      const [next, length] = transition(inside.state, inside, rest)
      inside = next
      rest = rest.slice(length)
    }
    return [inside, text.length]
  }
  const isOtherScript =
    context.state === 'Attr' &&
    context.element === 'Script' &&
    context.attribute === 'ScriptType' &&
    !isScriptType(value)
  const element = isOtherScript ? 'None' : context.element
  return [{ ...htmlText, state: 'Tag', element }, context.delimiter === 'SpaceOrTagEnd' ? end : end + 1]
}

const endTags: Record<Exclude<Element, 'None' | 'Meta'>, RegExp> = {
  Script: /<\/script[> \t\n\f/]/i,
  Style: /<\/style[> \t\n\f/]/i,
  Textarea: /<\/textarea[> \t\n\f/]/i,
  Title: /<\/title[> \t\n\f/]/i,
}

/** Up to the end tag of the element that a text is in; there the text of the page goes on. */
function untilEndTag(context: Context, text: string): Step {
  const { element, state } = context
  if (element === 'None' || element === 'Meta') return [context, text.length]
  // an end tag in a literal of a script is escaped instead
  if (element === 'Script' && (isScriptLiteral(state) || isComment(state))) return [context, text.length]
  const end = text.search(endTags[element])
  return end === -1 ? [context, text.length] : [htmlText, end]
}

function stay(context: Context, text: string): Step {
  return [context, text.length]
}

const elements = new Map<string, Element>([
  ['script', 'Script'],
  ['style', 'Style'],
  ['textarea', 'Textarea'],
  ['title', 'Title'],
  ['meta', 'Meta'],
])

const opening = /<(?:(!--)|(\/?)([a-z][a-z0-9]*(?:[:-][a-z0-9]+)*))/i

function content(context: Context, text: string): Step {
  const found = opening.exec(text)
  if (!found) return [context, text.length]
  const [whole, comment, slash, name = ''] = found
  const end = found.index + whole.length
  if (comment !== undefined) return [{ ...htmlText, state: 'HTMLCmt' }, end]
  const element = slash ? 'None' : (elements.get(name.toLowerCase()) ?? 'None')
  return [{ ...htmlText, state: 'Tag', element }, end]
}

function tag(context: Context, text: string): Step {
  const start = spaces(text)
  if (start === text.length) return [context, text.length]
  const { element } = context
  if (text[start] === '>') {
    const state = contentStates[element]
    return [{ ...htmlText, state, element: state === 'Text' ? 'None' : element }, start + 1]
  }
  const name = nameAt(text, start)
  if (typeof name === 'object') return [name, text.length]
  if (name === start)
    return [inError(`expected space, attr name, or end of tag, but got ${quoteGo(text.slice(start))}`), text.length]
  const lower = lowerCase(text.slice(start, name))
  const state = name === text.length ? 'AttrName' : 'AfterName'
  return [{ ...htmlText, state, element, attribute: attributeOf(element, lower) }, name]
}

function attributeOf(element: Element, name: string) {
  if (element === 'Script' && name === 'type') return 'ScriptType'
  if (element === 'Meta' && name === 'content') return 'MetaContent'
  return attributes[attributeKind(name)]
}

/** Where the name of an attribute ends. */
function nameAt(text: string, start: number): number | Context {
  const found = /[ \t\n\f\r=>'"<]/.exec(text.slice(start))
  if (!found) return text.length
  const [ending] = found
  if (!/['"<]/.test(ending)) return start + found.index
  return inError(`${quoteGo(ending)} in attribute name: ${excerpt(text)}`)
}

function attributeName(context: Context, text: string): Step {
  const end = nameAt(text, 0)
  if (typeof end === 'object') return [end, text.length]
  return [end === text.length ? context : { ...context, state: 'AfterName' }, end]
}

function afterName(context: Context, text: string): Step {
  const start = spaces(text)
  if (start === text.length) return [context, text.length]
  if (text[start] !== '=') return [{ ...context, state: 'Tag' }, start] // an attribute without a value
  return [{ ...context, state: 'BeforeValue' }, start + 1]
}

function beforeValue(context: Context, text: string): Step {
  const start = spaces(text)
  if (start === text.length) return [context, text.length]
  const state = valueStates[context.attribute]
  if (text[start] === '"') return [{ ...context, state, delimiter: 'DoubleQuote' }, start + 1]
  if (text[start] === "'") return [{ ...context, state, delimiter: 'SingleQuote' }, start + 1]
  return [{ ...context, state, delimiter: 'SpaceOrTagEnd' }, start]
}

function htmlComment(context: Context, text: string): Step {
  const end = text.indexOf('-->')
  return end === -1 ? [context, text.length] : [htmlText, end + 3]
}

function blockComment(context: Context, text: string): Step {
  const end = text.indexOf('*/')
  if (end === -1) return [context, text.length]
  return [{ ...context, state: context.state === 'JSBlockCmt' ? 'JS' : 'CSS' }, end + 2]
}

function styleComment(context: Context, text: string): Step {
  const end = text.search(/[\n\f\r]/)
  return end === -1 ? [context, text.length] : [{ ...context, state: 'CSS' }, end]
}

/** The content of a meta element, which may be a refresh: `5; url=…`. */
function metaContent(context: Context, text: string): Step {
  const found = /url[ \t\n\f\r]*=/i.exec(text)
  if (!found) return [context, text.length]
  return [{ ...context, state: 'MetaContentURL' }, found.index + found[0].length]
}

function metaUrl(context: Context, text: string): Step {
  const end = text.indexOf(';')
  return end === -1 ? [context, text.length] : [{ ...context, state: 'MetaContent' }, end + 1]
}
