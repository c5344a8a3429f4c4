import { escapeHtml, escapeQuery } from '../escape.ts'
import { printed } from '../evaluate.ts'
import type { Command, Pipe } from '../parse.ts'
import type { Value } from '../value.ts'
import { escapeUrl, filterSrcset, filterUrl, normaliseUrl } from './address.ts'
import type { Context } from './context.ts'
import { escapeStyleString, filterStyleValue } from './css.ts'
import { escapeScriptRegexp, escapeScriptString, escapeScriptTemplate, toScriptValue } from './javascript.ts'
import { escapeQuoted, escapeRcdata, escapeText, escapeUnquoted, filterName, omit } from './markup.ts'

/** Makes a value, or what the escaper before it made, fit for a context. */
export type Escaper = (value: Value) => string

/** What an action in this context prints through, in order; undefined where the context is too vague to say. */
export function escapersFor(context: Context): Escaper[] | undefined {
  const inside = byState(context)
  switch (context.delimiter) {
    case 'None':
      return inside
    case 'SpaceOrTagEnd':
      return inside && [...inside, escapeUnquoted]
    default:
      return inside && [...inside, escapeQuoted]
  }
}

function byState(context: Context): Escaper[] | undefined {
  switch (context.state) {
    case 'URL':
    case 'CSSDqStr':
    case 'CSSSqStr':
    case 'CSSDqURL':
    case 'CSSSqURL':
    case 'CSSURL':
      return byUrlPart(context)
    case 'MetaContentURL':
      return [filterUrl]
    case 'Srcset':
      return [filterSrcset]
    case 'JS':
      return [toScriptValue]
    case 'JSDqStr':
    case 'JSSqStr':
      return [escapeScriptString]
    case 'JSTmplLit':
      return [escapeScriptTemplate]
    case 'JSRegexp':
      return [escapeScriptRegexp]
    case 'CSS':
      return [filterStyleValue]
    case 'Text':
      return [escapeText]
    case 'RCDATA':
      return [escapeRcdata]
    case 'AttrName':
      return [filterName]
    case 'HTMLCmt':
    case 'JSBlockCmt':
    case 'JSLineCmt':
    case 'JSHTMLOpenCmt':
    case 'JSHTMLCloseCmt':
    case 'CSSBlockCmt':
    case 'CSSLineCmt':
      return [omit]
    default:
      return []
  }
}

function byUrlPart({ state, urlPart }: Context): Escaper[] | undefined {
  const asPart = state === 'CSSDqStr' || state === 'CSSSqStr' ? escapeStyleString : normaliseUrl
  switch (urlPart) {
    case 'None':
      return [filterUrl, asPart]
    case 'PreQuery':
      return [asPart]
    case 'QueryOrFrag':
      return [escapeUrl]
    case 'Unknown':
      return undefined
  }
}

/** The functions of the language that escape, and what does the same. */
const predefined = new Map<string, { escape: Escaper; same: readonly Escaper[] }>([
  ['html', { escape: (value) => escapeHtml(printed(value)), same: [escapeText, escapeRcdata, escapeQuoted] }],
  ['urlquery', { escape: (value) => escapeQuery(printed(value)), same: [escapeUrl, normaliseUrl] }],
])

/** The name of the escaper that a command calls. */
export function escaperOf({ terms: [first] }: Command): string | undefined {
  return first?.kind === 'function' && predefined.has(first.name) ? first.name : undefined
}

/**
 * A pipeline and the escapers behind it. Where it ends in one that does the same as one of them, it is
 * applied once only, in the place of that.
 */
export function withoutTwin(pipe: Pipe, escapers: readonly Escaper[]): { pipe: Pipe; escapers: readonly Escaper[] } {
  const last = pipe.commands.at(-1)
  const own = last && predefined.get(escaperOf(last) ?? '')
  if (!own) return { pipe, escapers }
  const commands = pipe.commands.length === 1 ? inTwo(last) : pipe.commands
  if (!escapers.some((one) => own.same.includes(one))) return { pipe: { ...pipe, commands }, escapers }
  return {
    // an escaper alone has no arguments, and makes nothing of them
    pipe: {
      ...pipe,
      commands: commands.length === 1 ? [{ ...last, terms: [calling('print', last)] }] : commands.slice(0, -1),
    },
    escapers: escapers.map((one) => (own.same.includes(one) ? own.escape : one)),
  }
}

/** `html a b` as `print a b | html`. */
function inTwo(command: Command): readonly Command[] {
  const [escaper, ...args] = command.terms
  if (!escaper || args.length === 0) return [command]
  return [
    { ...command, terms: [calling('print', command), ...args] },
    { ...command, terms: [escaper] },
  ]
}

function calling(name: string, { at }: Command) {
  return { kind: 'function', name, at } as const
}

export function inSequence(escapers: readonly Escaper[]): Escaper {
  return (value) => {
    let result = value
    for (const escape of escapers) result = escape(result)
    return typeof result === 'string' ? result : printed(result)
  }
}
