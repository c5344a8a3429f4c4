/**
 * Where in HTML a place of a template stands. The words are html/template's: its messages and the names of
 * derived definitions have them.
 */
export interface Context {
  readonly state: State
  readonly delimiter: Delimiter
  readonly urlPart: 'None' | 'PreQuery' | 'QueryOrFrag' | 'Unknown'
  readonly slash: 'Regexp' | 'DivOp' | 'Unknown' // what a `/` would begin in a script
  readonly braces: readonly number[] // `{` that are open in each `${` of nested JavaScript template literals
  readonly attribute: Attribute
  readonly element: Element
  readonly problem?: Problem // with state Error
}

export type State =
  | 'Text'
  | 'Tag'
  | 'AttrName'
  | 'AfterName'
  | 'BeforeValue'
  | 'HTMLCmt'
  | 'RCDATA'
  | 'Attr'
  | 'URL'
  | 'Srcset'
  | 'JS'
  | 'JSDqStr'
  | 'JSSqStr'
  | 'JSTmplLit'
  | 'JSRegexp'
  | 'JSBlockCmt'
  | 'JSLineCmt'
  | 'JSHTMLOpenCmt'
  | 'JSHTMLCloseCmt'
  | 'CSS'
  | 'CSSDqStr'
  | 'CSSSqStr'
  | 'CSSDqURL'
  | 'CSSSqURL'
  | 'CSSURL'
  | 'CSSBlockCmt'
  | 'CSSLineCmt'
  | 'MetaContent'
  | 'MetaContentURL'
  | 'Error'
  | 'Dead' // behind a break or continue

/** What ends an attribute's value; None outside of one. */
export type Delimiter = 'None' | 'DoubleQuote' | 'SingleQuote' | 'SpaceOrTagEnd'
export type Attribute = 'None' | 'Script' | 'ScriptType' | 'Style' | 'URL' | 'Srcset' | 'MetaContent'
export type Element = 'None' | 'Script' | 'Style' | 'Textarea' | 'Title' | 'Meta'

/** What is wrong, and with which part of which template; a text has no place, the loop around it has a line. */
export interface Problem {
  message: string
  place: Place | undefined
  line?: number
}

/** A node and the template it was written in. */
export interface Place {
  at: number
  origin: { name: string; text: string }
}

export const htmlText: Context = {
  state: 'Text',
  delimiter: 'None',
  urlPart: 'None',
  slash: 'Regexp',
  braces: [],
  attribute: 'None',
  element: 'None',
}

export function inError(message: string, place?: Place): Context {
  return { ...htmlText, state: 'Error', problem: { message, place } }
}

/** The state in which an attribute's value begins. */
export const valueStates: Record<Attribute, State> = {
  None: 'Attr',
  Script: 'JS',
  ScriptType: 'Attr',
  Style: 'CSS',
  URL: 'URL',
  Srcset: 'Srcset',
  MetaContent: 'MetaContent',
}

/** The state in which an element's content begins. */
export const contentStates: Record<Element, State> = {
  None: 'Text',
  Script: 'JS',
  Style: 'CSS',
  Textarea: 'RCDATA',
  Title: 'RCDATA',
  Meta: 'Text',
}

export function isComment(state: State): boolean {
  return state.endsWith('Cmt')
}

/** A string, regexp or template literal of a script. */
export function isScriptLiteral(state: State): boolean {
  return state === 'JSDqStr' || state === 'JSSqStr' || state === 'JSTmplLit' || state === 'JSRegexp'
}

export function isInTag(state: State): boolean {
  return ['Tag', 'AttrName', 'AfterName', 'BeforeValue', 'Attr'].includes(state)
}

export function isSame(a: Context, b: Context): boolean {
  return (
    a.state === b.state &&
    a.delimiter === b.delimiter &&
    a.urlPart === b.urlPart &&
    a.slash === b.slash &&
    a.braces.join() === b.braces.join() &&
    a.attribute === b.attribute &&
    a.element === b.element &&
    a.problem === b.problem
  )
}

/** The context in which an action prints: one in a tag begins an attribute, one behind `=` a value. */
export function nudged(context: Context): Context {
  switch (context.state) {
    case 'Tag':
      return { ...context, state: 'AttrName' }
    case 'BeforeValue':
      return { ...context, state: valueStates[context.attribute], delimiter: 'SpaceOrTagEnd', attribute: 'None' }
    case 'AfterName':
      return { ...context, state: 'AttrName', attribute: 'None' }
    default:
      return context
  }
}

/** The context behind two branches; undefined where they end too differently. */
export function joined(a: Context, b: Context): Context | undefined {
  if (a.state === 'Error') return a
  if (b.state === 'Error') return b
  if (a.state === 'Dead') return b
  if (b.state === 'Dead') return a
  if (isSame(a, b)) return a
  if (isSame({ ...a, urlPart: b.urlPart }, b)) return { ...a, urlPart: 'Unknown' }
  if (isSame({ ...a, slash: b.slash }, b)) return { ...a, slash: 'Unknown' }
  const [c, d] = [nudged(a), nudged(b)]
  return isSame(a, c) && isSame(b, d) ? undefined : joined(c, d)
}

/** A context as Go's messages have it. */
export function described(context: Context): string {
  const parts = [
    `state${context.state}`,
    `delim${context.delimiter}`,
    `urlPart${context.urlPart}`,
    `jsCtx${context.slash}`,
    `[${context.braces.join(' ')}]`,
    `attr${context.attribute}`,
    `element${context.element}`,
    '<nil>',
  ]
  return `{${parts.join(' ')}}`
}

const mark = '$htmltemplate_state'

/** Whether a name is that of a definition for any context. */
export function isDerived(name: string, from: string): boolean {
  return name === from || name.startsWith(from + mark)
}

/** The name of a definition for a context. */
export function derivedName(name: string, context: Context): string {
  if (context.state === 'Text') return name
  const parts = [`${mark}${context.state}`]
  if (context.delimiter !== 'None') parts.push(`delim${context.delimiter}`)
  if (context.urlPart !== 'None') parts.push(`urlPart${context.urlPart}`)
  if (context.slash !== 'Regexp') parts.push(`jsCtx${context.slash}`)
  if (context.braces.length > 0) parts.push(`jsBraceDepth([${context.braces.join(' ')}])`)
  if (context.attribute !== 'None') parts.push(`attr${context.attribute}`)
  if (context.element !== 'None') parts.push(`element${context.element}`)
  return name + parts.join('_')
}
