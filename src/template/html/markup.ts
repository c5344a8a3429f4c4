import { clean } from '../../model/bytes.ts'
import type { Value } from '../value.ts'
import { attributeKind, lowerCase } from './attribute.ts'
import { type Context, htmlText, isInTag } from './context.ts'
import { refused, toPrinted } from './printed.ts'
import { transition, valueEnds } from './transition.ts'

const entities: Record<string, string> = {
  '\0': '\ufffd',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '+': '&#43;',
  '<': '&lt;',
  '>': '&gt;',
}

function escape(text: string): string {
  return text.replace(/[\0"&'+<>]/g, (one) => entities[one] ?? one)
}

/** What is HTML already keeps its entities. */
function normalise(text: string): string {
  return text.replace(/[\0"'+<>]/g, (one) => entities[one] ?? one)
}

/** In the text of a page. */
export function escapeText(value: Value): string {
  const { text, trusted } = toPrinted(value)
  return trusted === 'HTML' ? text : escape(text)
}

/** In `<title>` and `<textarea>`. */
export function escapeRcdata(value: Value): string {
  const { text, trusted } = toPrinted(value)
  return trusted === 'HTML' ? normalise(text) : escape(text)
}

/** In a quoted value of an attribute. */
export function escapeQuoted(value: Value): string {
  const { text, trusted } = toPrinted(value)
  return trusted === 'HTML' ? normalise(withoutTags(text)) : escape(text)
}

/** In a value of an attribute without quotes. */
export function escapeUnquoted(value: Value): string {
  const { text, trusted } = toPrinted(value)
  if (text === '') return refused // nothing would make the next attribute the value
  const escapable = trusted === 'HTML' ? /[\0\t-\r "'+<=>`]/g : /[\0\t-\r "&'+<=>`]/g
  return clean(trusted === 'HTML' ? withoutTags(text) : text)
    .replace(escapable, (one) => (one === '\0' ? '&#xfffd;' : (entities[one] ?? `&#${one.charCodeAt(0)};`)))
    .replace(/[\ufdd0-\ufdef\ufff0-\uffff]/g, (one) => `&#x${one.charCodeAt(0).toString(16)};`)
}

/** As the name of an attribute. */
export function filterName(value: Value): string {
  const name = lowerCase(toPrinted(value).text)
  return /^[a-z0-9]+$/.test(name) && attributeKind(name) === 'plain' ? name : refused
}

/** In a comment, which is not kept. */
export function omit(): string {
  return ''
}

/** The text of some HTML. */
function withoutTags(html: string): string {
  let text = ''
  let context: Context = htmlText
  let at = 0
  let isText = true
  while (at < html.length) {
    const rest = html.slice(at)
    if (context.delimiter !== 'None') {
      const end = rest.search(valueEnds[context.delimiter])
      if (end === -1) break
      at += context.delimiter === 'SpaceOrTagEnd' ? end : end + 1
      context = { ...htmlText, state: 'Tag', element: context.element }
      continue
    }
    const inElement = context.element !== 'None' && !isInTag(context.state)
    const [next, length] = transition(inElement ? 'RCDATA' : context.state, context, rest)
    if (context.state === 'Text' || context.state === 'RCDATA') {
      const part = rest.slice(0, length)
      const tag = next.state === context.state ? -1 : part.lastIndexOf('<')
      text += tag === -1 ? part : part.slice(0, tag)
    } else {
      isText = false
    }
    context = next
    at += length
  }
  if (isText) return html
  return context.state === 'Text' || context.state === 'RCDATA' ? text + html.slice(at) : text
}
