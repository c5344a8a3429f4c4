import type { CST, ErrorCode } from 'yaml'

/** What is wrong with a file's YAML and how to mend it; the parser's own words may quote a secret. */
const words: Partial<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag of its own',
  BAD_ALIAS: 'an alias needs a name: *name; quote the text if it only begins with *',
  BAD_COLLECTION_TYPE: 'this tag does not go with a map or a list',
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins an escape, and this is none; double it, or use single quotes',
  BAD_INDENT: 'the indentation does not fit: keys of one map, and items of one list, begin in the same column',
  BAD_PROP_ORDER: 'an anchor or a tag stands before its value, not before its dash',
  BAD_SCALAR_START: 'an unquoted text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two keys in one line; put a text that holds ": " in quotes',
  BLOCK_IN_FLOW: 'between brackets or braces everything is separated by commas; this begins an indented part',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters; is a quote or a brace not closed?',
  MULTILINE_IMPLICIT_KEY: 'this should be "key: value"; is a colon missing here, or a quote not closed before?',
  MULTIPLE_ANCHORS: 'a value has one anchor at most',
  MULTIPLE_TAGS: 'a value has one tag at most',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'this tag is not known',
  UNEXPECTED_TOKEN: 'this cannot stand here; is something before it not closed, or the indentation off?',
}

/** One syntax error in words of ours. */
export function describe(code: ErrorCode, message: string): string {
  const closing = /end with a ([\]}])/.exec(message)?.[1]
  if (closing) return `a bracket or brace before this is not closed: ${closing} is missing`
  // which quote or comma is missing: this holds no text of the file
  if (code === 'MISSING_CHAR') return `${message[0]?.toLowerCase()}${message.slice(1)}`.replace(/:? at line.*/s, '')
  return words[code] ?? 'this is not YAML'
}

/** Every part of a document with its depth, in order. Not by recursion: it may be as deep as the file is long. */
function* parts(tokens: readonly CST.Token[]): Generator<{ token: CST.Token; depth: number }> {
  const open = tokens.toReversed().map((token) => ({ token, depth: 0 }))
  for (let next = open.pop(); next; next = open.pop()) {
    yield next
    const { token, depth } = next
    if (token.type === 'document' && token.value) open.push({ token: token.value, depth })
    if (!('items' in token)) continue
    for (const { key, value } of token.items.toReversed()) {
      if (value) open.push({ token: value, depth: depth + 1 })
      if (key) open.push({ token: key, depth: depth + 1 })
    }
  }
}

/** Where a document nests deeper than that, if it does. */
export function nestsTooDeep(tokens: readonly CST.Token[], deepest: number): number | undefined {
  for (const { token, depth } of parts(tokens)) if (depth > deepest) return token.offset
  return undefined
}

/** Where the quoted text begins that does not end. */
export function findUnclosed(tokens: readonly CST.Token[]): number | undefined {
  for (const { token } of parts(tokens)) {
    if (token.type !== 'double-quoted-scalar' && token.type !== 'single-quoted-scalar') continue
    const quote = token.type === 'double-quoted-scalar' ? '"' : "'"
    if (token.source.length < 2 || !token.source.endsWith(quote)) return token.offset
  }
  return undefined
}

/** Stands for a colon that ends a text between brackets, `[a:, b]`: to YAML 1.1 it is one of its letters. */
const COLON = '\ufdef'
const lastColon = /(?<=[^\s"'\]}:[{,]):(?=[,\]}])/g

/** A YAML text in which those are plain characters; `unshieldColons` is the reverse, for what came of it. */
export function shieldColons(text: string): string {
  return text.replace(lastColon, COLON)
}

export function unshieldColons(text: string): string {
  return text.replaceAll(COLON, ':')
}

/** Whether an error is that a comment touches what is before it; YAML 1.1 asks for no space behind a bracket, a comma or a quote. */
export function isTouchingComment(message: string, text: string, offset: number): boolean {
  return message.startsWith('Comments must be separated') && /["'[\]{},]/.test(text[offset - 1] ?? '')
}

/** What YAML 1.1 reads otherwise between brackets than its later versions, and our parser, do. */
export function findFlowFaults(tokens: readonly CST.Token[], text: string): { message: string; offset: number }[] {
  const faults: { message: string; offset: number }[] = []
  for (const { token } of parts(tokens)) {
    if (token.type !== 'flow-collection') continue
    for (const { key, sep, value } of token.items) {
      const colon = sep?.find(({ type }) => type === 'map-value-ind')
      if (key?.type === 'scalar' && colon && /[,[\]{}]/.test(text[colon.offset + 1] ?? ''))
        faults.push({ message: 'a space is missing behind this colon', offset: colon.offset })
      for (const part of [key, value]) {
        const at = part?.type === 'scalar' ? part.source.indexOf('?') : -1
        if (part && at >= 0)
          faults.push({ message: 'a text with a ? must be quoted between brackets', offset: part.offset + at })
      }
    }
  }
  return faults
}
