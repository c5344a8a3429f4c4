import { toBytes } from '../model/bytes.ts'
import { quoteGo, unquoteCharacter, unquoteGo } from '../model/quote.ts'
import { TemplateError, type Token, lex, lineOf } from './lex.ts'
import { type Numeral, parseNumber } from './number.ts'

/** The text that a tree was read from, for messages. */
export interface Origin {
  name: string // of the file
  text: string
}

export type Node =
  | { kind: 'text'; text: string; at: number }
  | { kind: 'action'; pipe: Pipe; at: number }
  | { kind: 'if' | 'with'; pipe: Pipe; body: readonly Node[]; otherwise: readonly Node[] | undefined; at: number }
  | { kind: 'range'; pipe: Pipe; body: readonly Node[]; otherwise: readonly Node[] | undefined; at: number }
  | { kind: 'template'; name: string; pipe: Pipe | undefined; at: number }
  | { kind: 'break' | 'continue'; at: number }

/** `$i, $e := a | b`: commands from left to right, each result the last argument of the next. */
export interface Pipe {
  kind: 'pipe'
  declares: readonly string[]
  assigns: boolean // `=` and not `:=`
  commands: readonly Command[]
  at: number
}

export interface Command {
  kind: 'command'
  terms: readonly Term[]
  at: number
}

export type Term =
  | { kind: 'dot'; at: number }
  | { kind: 'nil'; at: number }
  | { kind: 'bool'; value: boolean; at: number }
  | ({ kind: 'number'; text: string; at: number } & Numeral)
  | { kind: 'string'; text: string; value: string; at: number }
  | { kind: 'variable'; name: string; fields: readonly string[]; at: number }
  | { kind: 'field'; fields: readonly string[]; at: number }
  | { kind: 'function'; name: string; at: number }
  | { kind: 'chain'; of: Term; fields: readonly string[]; at: number }
  | Pipe

/** A named tree. */
export interface Definition {
  name: string
  body: readonly Node[]
  origin: Origin
}

export type Definitions = Map<string, Definition>

/** As deep as a template may nest: the parser and all that walk its trees recurse. */
const DEEPEST = 200

type End = { kind: 'end' } | { kind: 'else'; next: 'if' | 'with' | undefined }
const isEnd = (node: Node | End): node is End => node.kind === 'end' || node.kind === 'else'

/**
 * Parses a text into its own tree and the definitions in it, by Go's rules and with its messages
 * (https://pkg.go.dev/text/template/parse). `functions` are the names that may be called. Throws TemplateError.
 */
export function parse(
  text: string,
  name: string,
  functions: { has(name: string): boolean },
): { main: Definition; definitions: Definitions } {
  const tokens = lex(text)
  const origin: Origin = { name, text }
  const definitions: Definitions = new Map()
  let at = 0
  let seen = 0 // the token furthest on that was looked at: Go's messages tell its line
  let variables = openScope()
  let ranges = 0
  let depth = 0
  let actionAt = -1

  const here = () => {
    const index = Math.min(at, tokens.length - 1)
    seen = Math.max(seen, index)
    return tokens[index] ?? { kind: 'EOF' as const, text: '', at: text.length }
  }
  function fail(message: string, index = seen): never {
    throw new TemplateError(`template: ${name}:${lineOf(text, tokens[index]?.at ?? 0)}: ${message}`)
  }
  function next(): Token {
    const token = here()
    at += 1
    return token
  }
  const skipSpace = () => {
    while (here().kind === 'space') at += 1
  }
  const peekWord = (): Token => {
    skipSpace()
    return here()
  }
  const nextWord = (): Token => {
    skipSpace()
    return next()
  }
  function unexpected(token: Token, context: string): never {
    if (token.kind === 'error') {
      const line = lineOf(text, Math.max(actionAt, 0))
      const began = actionAt >= 0 && line !== lineOf(text, token.at)
      const where = token.text.endsWith(' action') ? ' started at' : ' in action started at'
      fail(`${token.text}${began ? `${where} ${name}:${line}` : ''}`)
    }
    fail(`unexpected ${shown(token)} in ${context}`)
  }
  const expect = (kind: Token['kind'], context: string): Token => {
    const token = nextWord()
    if (token.kind !== kind) unexpected(token, context)
    return token
  }
  function deeper<T>(run: () => T): T {
    depth += 1
    if (depth > DEEPEST) fail(`actions nest deeper than ${DEEPEST} levels`)
    const result = run()
    depth -= 1
    return result
  }

  const body: Node[] = []
  while (here().kind !== 'EOF') {
    if (here().kind === 'left') {
      const before = at
      at += 1
      if (nextWord().kind === 'define') {
        define()
        continue
      }
      at = before
    }
    const node = textOrAction()
    if (isEnd(node)) fail(`unexpected {{${node.kind}}}`)
    body.push(node)
  }
  add(name, body)
  return { main: definitions.get(name) ?? { name, body, origin }, definitions }

  function define(): void {
    const token = nextWord()
    if (token.kind !== 'string') unexpected(token, 'define clause')
    const defined = unquote(token)
    expect('right', 'define clause')
    const { nodes, end } = inOwnScope()
    if (end.kind !== 'end') fail('unexpected {{else}} in define clause')
    add(defined, nodes)
  }

  /** A list with variables of its own. */
  function inOwnScope(): { nodes: Node[]; end: End } {
    const [outerVariables, outerRanges] = [variables, ranges]
    variables = openScope()
    ranges = 0
    actionAt = -1
    const inner = list()
    variables = outerVariables
    ranges = outerRanges
    return inner
  }

  function add(defined: string, nodes: readonly Node[]): void {
    const known = definitions.get(defined)
    if (!known || isEmpty(known.body)) definitions.set(defined, { name: defined, body: nodes, origin })
    else if (!isEmpty(nodes)) fail(`template: multiple definition of template ${quoteGo(defined)}`)
  }

  function list(): { nodes: Node[]; end: End } {
    const nodes: Node[] = []
    while (here().kind !== 'EOF') {
      const node = textOrAction()
      if (isEnd(node)) return { nodes, end: node }
      nodes.push(node)
    }
    fail('unexpected EOF')
  }

  function textOrAction(): Node | End {
    const token = next()
    if (token.kind === 'text') return { kind: 'text', text: token.text, at: token.at }
    if (token.kind !== 'left') unexpected(token, 'input')
    actionAt = token.at
    const node = deeper(action)
    actionAt = -1
    return node
  }

  function action(): Node | End {
    const token = nextWord()
    switch (token.kind) {
      case 'if':
      case 'with':
      case 'range':
        return control(token.kind)
      case 'block': {
        const title = nextWord()
        if (title.kind !== 'string') unexpected(title, 'block clause')
        const blockName = unquote(title)
        const pipe = pipeline('block clause', 'right')
        const clause = seen
        const { nodes, end } = inOwnScope()
        if (end.kind !== 'end') fail('unexpected {{else}} in block clause', clause)
        add(blockName, nodes)
        return { kind: 'template', name: blockName, pipe, at: title.at }
      }
      case 'template': {
        const title = nextWord()
        if (title.kind !== 'string') unexpected(title, 'template clause')
        const called = unquote(title)
        if (peekWord().kind === 'right') {
          at += 1
          return { kind: 'template', name: called, pipe: undefined, at: title.at }
        }
        return { kind: 'template', name: called, pipe: pipeline('template clause', 'right'), at: title.at }
      }
      case 'break':
      case 'continue':
        expect('right', `{{${token.kind}}}`)
        if (ranges === 0) fail(`{{${token.kind}}} outside {{range}}`)
        return { kind: token.kind, at: token.at }
      case 'end':
        expect('right', 'end')
        return { kind: 'end' }
      case 'else': {
        const { kind } = peekWord()
        if (kind === 'if' || kind === 'with') return { kind: 'else', next: kind }
        expect('right', 'else')
        return { kind: 'else', next: undefined }
      }
      default:
        at -= 1
        return { kind: 'action', pipe: pipeline('command', 'right'), at: token.at }
    }
  }

  function control(kind: 'if' | 'with' | 'range'): Node {
    const outer = variables.mark()
    const start = peekWord().at
    const pipe = pipeline(kind, 'right')
    if (kind === 'range') ranges += 1
    const { nodes, end } = list()
    if (kind === 'range') ranges -= 1
    let otherwise: readonly Node[] | undefined
    if (end.kind === 'else') {
      if (end.next && end.next === kind) {
        at += 1 // {{else if}} is {{else}}{{if}} with one {{end}}
        const inner = kind
        otherwise = [deeper(() => control(inner))]
      } else {
        const rest = list()
        if (rest.end.kind !== 'end') fail(`expected end; found {{else}}`)
        otherwise = rest.nodes
      }
    }
    variables.back(outer)
    return { kind, pipe, body: nodes, otherwise, at: start }
  }

  function pipeline(context: string, closing: 'right' | ')'): Pipe {
    const start = peekWord().at
    const declares: string[] = []
    let assigns = false
    while (peekWord().kind === 'variable') {
      const before = at
      const variable = next()
      const following = peekWord()
      if (following.kind === 'assign' || following.kind === 'declare') {
        at += 1
        assigns = following.kind === 'assign'
        declares.push(variable.text)
        variables.declare(variable.text)
        break
      }
      if (following.kind !== 'sign' || following.text !== ',') {
        at = before
        break
      }
      at += 1
      declares.push(variable.text)
      variables.declare(variable.text)
      if (context !== 'range' || declares.length > 1) fail(`too many declarations in ${context}`)
      if (!['variable', 'right', ')'].includes(peekWord().kind)) fail('range can only initialize variables')
    }
    const commands: Command[] = []
    for (;;) {
      const token = nextWord()
      if (token.kind === closing) break
      if (!beginsOperand.has(token.kind)) unexpected(token, context)
      at -= 1
      commands.push(command())
    }
    if (commands.length === 0) fail(`missing value for ${context}`)
    const stage = commands.findIndex(({ terms: [first] }, i) => i > 0 && first && notExecutable.has(first.kind))
    if (stage !== -1) fail(`non executable command in pipeline stage ${stage + 1}`)
    return { kind: 'pipe', declares, assigns, commands, at: start }
  }

  function command(): Command {
    const terms: Term[] = []
    const start = peekWord().at
    for (;;) {
      skipSpace()
      const one = operand()
      if (one) terms.push(one)
      const token = next()
      if (token.kind === 'space') continue
      if (token.kind === 'right' || token.kind === ')') at -= 1
      else if (token.kind !== 'pipe') unexpected(token, 'operand')
      break
    }
    if (terms.length === 0) fail('empty command')
    return { kind: 'command', terms, at: start }
  }

  function operand(): Term | undefined {
    const one = term()
    if (!one || here().kind !== 'field') return one
    const start = here().at
    const fields: string[] = []
    while (here().kind === 'field') fields.push(next().text.slice(1))
    switch (one.kind) {
      case 'field':
      case 'variable':
        return { ...one, fields: [...one.fields, ...fields], at: start } // Go's messages point there
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return fail(`unexpected . after term ${quoteGo(show(one))}`)
      default:
        return { kind: 'chain', of: one, fields, at: start }
    }
  }

  function term(): Term | undefined {
    const token = nextWord()
    switch (token.kind) {
      case 'identifier':
        if (!functions.has(token.text)) fail(`function ${quoteGo(token.text)} not defined`)
        return { kind: 'function', name: token.text, at: token.at }
      case 'dot':
      case 'nil':
        return { kind: token.kind, at: token.at }
      case 'variable':
        if (!variables.has(token.text)) fail(`undefined variable ${quoteGo(token.text)}`)
        return { kind: 'variable', name: token.text, fields: [], at: token.at }
      case 'field':
        return { kind: 'field', fields: [token.text.slice(1)], at: token.at }
      case 'bool':
        return { kind: 'bool', value: token.text === 'true', at: token.at }
      case 'character':
      case 'number':
        return { kind: 'number', text: token.text, ...numberOf(token), at: token.at }
      case 'string':
        return { kind: 'string', text: token.text, value: unquote(token), at: token.at }
      case '(':
        return deeper(() => pipeline('parenthesized pipeline', ')'))
      default:
        at -= 1
        return undefined
    }
  }

  function unquote(token: Token): string {
    if (token.text.startsWith('`')) return token.text.slice(1, -1).replaceAll('\r', '')
    return unquoteGo(token.text) ?? fail('invalid syntax')
  }

  function numberOf(token: Token): Numeral {
    if (token.kind === 'character') {
      const one = unquoteCharacter(token.text, 1, "'") ?? fail('invalid syntax')
      if (one.length + 2 !== token.text.length) fail(`malformed character constant: ${token.text}`)
      return { value: BigInt(one.code), whole: BigInt(one.code) }
    }
    try {
      return parseNumber(token.text)
    } catch (error) {
      if (error instanceof TemplateError) fail(error.message)
      throw error
    }
  }
}

/** The variables that are known at a place. */
function openScope() {
  const names = ['$']
  const counts = new Map([['$', 1]]) // a name may be declared again and again
  return {
    has: (name: string) => (counts.get(name) ?? 0) > 0,
    declare(name: string): void {
      names.push(name)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    },
    mark: () => names.length,
    back(mark: number): void {
      for (const name of names.splice(mark)) counts.set(name, (counts.get(name) ?? 1) - 1)
    },
  }
}

const notExecutable = new Set<Term['kind']>(['bool', 'dot', 'nil', 'number', 'string'])
const beginsOperand = new Set<Token['kind']>([
  'bool',
  'character',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'string',
  'variable',
  '(',
])

function isEmpty(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.kind === 'text' && !/\P{White_Space}/u.test(node.text))
}

/** Whether a definition would say nothing: such a one replaces no other. */
export function saysNothing({ body }: Definition): boolean {
  return isEmpty(body)
}

function shown({ kind, text }: Token): string {
  if (kind === 'EOF') return 'EOF'
  if (kind === 'dot' || (/^[a-z]/.test(text) && kind === text)) return `<${text}>`
  const characters = [...text]
  return toBytes(text).length > 10 ? `${quoteGo(characters.slice(0, 10).join(''))}...` : quoteGo(text)
}

/** A part of a template as Go's messages show it. */
export function show(node: Term | Command | Node): string {
  switch (node.kind) {
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'bool':
      return String(node.value)
    case 'number':
    case 'string':
    case 'text':
      return node.text
    case 'variable':
      return [node.name, ...node.fields].join('.')
    case 'field':
      return node.fields.map((field) => `.${field}`).join('')
    case 'function':
      return node.name
    case 'chain':
      return `${node.of.kind === 'pipe' ? `(${show(node.of)})` : show(node.of)}.${node.fields.join('.')}`
    case 'command':
      return node.terms.map((term) => (term.kind === 'pipe' ? `(${show(term)})` : show(term))).join(' ')
    case 'pipe': {
      const declared = node.declares.length > 0 ? `${node.declares.join(', ')} ${node.assigns ? '=' : ':='} ` : ''
      return declared + node.commands.map(show).join(' | ')
    }
    case 'action':
      return `{{${show(node.pipe)}}}`
    case 'template':
      return `{{template ${quoteGo(node.name)}${node.pipe ? ` ${show(node.pipe)}` : ''}}}`
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.otherwise ? `{{else}}${node.otherwise.map(show).join('')}` : ''
      return `{{${node.kind} ${show(node.pipe)}}}${node.body.map(show).join('')}${otherwise}{{end}}`
    }
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`
  }
}
