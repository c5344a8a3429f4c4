import { unquoteGo } from '../match/unquote.ts'
import { TemplateError, type Token, lex, lineOf } from './lex.ts'

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | { kind: 'if' | 'with'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'template'; name: string; pipe: Pipe | undefined }
  | { kind: 'break' | 'continue' }

/** `$i, $e := a | b`: commands from left to right, each result the last argument of the next. */
export interface Pipe {
  declares: string[]
  assigns: boolean // `=` and not `:=`
  commands: Term[][]
  line: number
}

export type Term =
  | { kind: 'dot' | 'nil' }
  | { kind: 'literal'; value: string | bigint | number | boolean }
  | { kind: 'variable'; name: string; fields: string[] }
  | { kind: 'field'; fields: string[] }
  | { kind: 'function'; name: string }
  | { kind: 'pipe'; pipe: Pipe; fields: string[] }

export type Definitions = Map<string, Node[]>

/**
 * Parses a text into its own nodes and the definitions in it. `functions` are the names that may be
 * called. Throws TemplateError.
 */
export function parse(
  source: string,
  name: string,
  functions: ReadonlySet<string>,
): { body: Node[]; definitions: Definitions } {
  const tokens = lex(source, name)
  const definitions: Definitions = new Map()
  let at = 0
  let scope: string[][] = [['$']]
  let ranges = 0

  const line = () => lineOf(source, tokens[Math.min(at, tokens.length - 1)]?.at ?? source.length)
  function fail(message: string): never {
    throw new TemplateError(`template: ${name}:${line()}: ${message}`)
  }
  const peek = () => tokens[at]
  const textOf = (token: Token | undefined) => (token && 'text' in token ? token.text : (token?.kind ?? 'EOF'))
  function expectClose(where: string) {
    if (peek()?.kind !== 'close') fail(`unexpected ${JSON.stringify(textOf(peek()))} in ${where}`)
    at += 1
  }

  const body = list(['EOF']).nodes
  return { body, definitions }

  /** Nodes up to one of the ending words; that word is taken, what stands behind it is not. */
  function list(ends: string[]): { nodes: Node[]; end: string } {
    const nodes: Node[] = []
    for (;;) {
      const token = peek()
      if (!token) {
        if (ends.includes('EOF')) return { nodes, end: 'EOF' }
        fail('unexpected EOF')
      }
      at += 1
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text })
        continue
      }
      const keyword = peek()?.kind === 'word' ? textOf(peek()) : ''
      if (ends.includes(keyword)) {
        at += 1
        return { nodes, end: keyword }
      }
      if (keyword === 'end' || keyword === 'else') fail(`unexpected {{${keyword}}}`)
      const node = action(keyword)
      if (node) nodes.push(node)
    }
  }

  function action(keyword: string): Node | undefined {
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        at += 1
        return control(keyword)
      case 'define':
        at += 1
        define(quotedName('define clause'))
        return undefined
      case 'block': {
        at += 1
        const block = quotedName('block clause')
        const pipe = pipeline('block clause')
        define(block)
        return { kind: 'template', name: block, pipe }
      }
      case 'template': {
        at += 1
        const called = quotedName('template clause')
        const pipe = peek()?.kind === 'close' ? undefined : pipeline('template clause')
        expectClose('template clause')
        return { kind: 'template', name: called, pipe }
      }
      case 'break':
      case 'continue':
        at += 1
        if (ranges === 0) fail(`{{${keyword}}} outside {{range}}`)
        expectClose(keyword)
        return { kind: keyword }
      default: {
        const pipe = pipeline('command')
        expectClose('command')
        return { kind: 'action', pipe }
      }
    }
  }

  function define(defined: string): void {
    expectClose('define clause')
    const outer = scope
    const outerRanges = ranges
    scope = [['$']] // variables of the outside are not seen
    ranges = 0
    const { nodes } = list(['end'])
    expectClose('end')
    scope = outer
    ranges = outerRanges
    // an empty definition does not replace one that says something
    if (!definitions.has(defined) || nodes.some((node) => node.kind !== 'text' || node.text.trim() !== ''))
      definitions.set(defined, nodes)
  }

  function quotedName(where: string): string {
    const token = peek()
    if (token?.kind !== 'string') fail(`unexpected ${JSON.stringify(textOf(token))} in ${where}`)
    at += 1
    return unquote(token.text)
  }

  function control(kind: 'if' | 'with' | 'range'): Node {
    scope.push([])
    const pipe = pipeline(kind)
    expectClose(kind)
    if (kind === 'range') ranges += 1
    const { nodes: inner, end } = list(['end', 'else'])
    if (kind === 'range') ranges -= 1
    let otherwise: Node[] = []
    if (end === 'else') {
      const next = peek()?.kind === 'word' ? textOf(peek()) : ''
      if (next && next === kind && kind !== 'range') {
        at += 1
        otherwise = [control(kind)]
        scope.pop()
        return { kind, pipe, body: inner, otherwise }
      }
      expectClose('else')
      otherwise = list(['end']).nodes
    }
    expectClose('end')
    scope.pop()
    return { kind, pipe, body: inner, otherwise }
  }

  function pipeline(where: string): Pipe {
    const pipe: Pipe = { declares: [], assigns: false, commands: [], line: line() }
    declarations(pipe, where)
    for (;;) {
      const command: Term[] = []
      for (;;) {
        const token = peek()
        if (
          !token ||
          token.kind === 'close' ||
          (token.kind === 'operator' && (token.text === '|' || token.text === ')'))
        )
          break
        command.push(operand(where))
      }
      if (command.length === 0) fail(`missing value for ${where}`)
      const [first] = command
      const callable =
        first?.kind === 'function' || first?.kind === 'field' || first?.kind === 'variable' || first?.kind === 'pipe'
      if (pipe.commands.length > 0 && !callable)
        fail(`non executable command in pipeline stage ${pipe.commands.length + 1}`)
      if (first?.kind === 'nil' && command.length === 1) fail('nil is not a command')
      pipe.commands.push(command)
      const token = peek()
      if (token?.kind === 'operator' && token.text === '|') {
        at += 1
        continue
      }
      break
    }
    scope.at(-1)?.push(...(pipe.assigns ? [] : pipe.declares))
    return pipe
  }

  function declarations(pipe: Pipe, where: string): void {
    const names: string[] = []
    let ahead = at
    for (;;) {
      const token = tokens[ahead]
      if (token?.kind !== 'variable') return
      names.push(token.text)
      const next = tokens[ahead + 1]
      ahead += 2
      if (next?.kind !== 'operator') return
      if (next.text === ',' && where === 'range' && names.length < 2) continue
      if (next.text !== ':=' && next.text !== '=') return
      pipe.declares = names
      pipe.assigns = next.text === '='
      if (pipe.assigns) for (const variable of names) checkVariable(variable)
      at = ahead
      return
    }
  }

  function operand(where: string): Term {
    const token = peek()
    if (!token) fail('unexpected EOF')
    at += 1
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: unquote(token.text) }
      case 'char':
        return {
          kind: 'literal',
          value: BigInt(unquote(`"${token.text.slice(1, -1).replaceAll('"', '\\"')}"`).codePointAt(0) ?? 0),
        }
      case 'number':
        return { kind: 'literal', value: number(token.text) }
      case 'variable':
        checkVariable(token.text)
        return { kind: 'variable', name: token.text, fields: fields() }
      case 'field':
        return { kind: 'field', fields: [token.text.slice(1), ...fields()] }
      case 'word':
        if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' }
        if (token.text === 'nil') return { kind: 'nil' }
        if (!functions.has(token.text)) fail(`function ${JSON.stringify(token.text)} not defined`)
        return { kind: 'function', name: token.text }
      case 'operator':
        if (token.text === '.') return { kind: 'dot' }
        if (token.text === '(') {
          const pipe = pipeline('parenthesized pipeline')
          if (textOf(peek()) !== ')') fail('unclosed left paren')
          at += 1
          return { kind: 'pipe', pipe, fields: fields() }
        }
        break
      case 'text':
      case 'open':
      case 'close':
    }
    fail(`unexpected ${JSON.stringify(textOf(token))} in ${where}`)
  }

  /** `.a.b` right behind an operand. */
  function fields(): string[] {
    const found: string[] = []
    for (;;) {
      const token = peek()
      const before = tokens[at - 1]
      const end = before && 'text' in before ? before.at + before.text.length : -1
      if (token?.kind !== 'field' || token.at !== end) return found
      found.push(token.text.slice(1))
      at += 1
    }
  }

  function checkVariable(variable: string): void {
    if (!scope.some((names) => names.includes(variable))) fail(`undefined variable ${JSON.stringify(variable)}`)
  }

  function unquote(text: string): string {
    if (text.startsWith('`')) return text.slice(1, -1).replaceAll('\r', '')
    const plain = unquoteGo(text)
    if (plain === undefined) fail(`bad string ${text}`)
    return plain
  }

  function number(text: string): bigint | number {
    const plain = text.replaceAll('_', '')
    if (/[.eE]/.test(plain) && !/^[+-]?0[xX]/.test(plain)) return Number(plain)
    const negative = plain.startsWith('-')
    const digits = plain.replace(/^[+-]/, '').replace(/^0(?=\d)/, '0o')
    return negative ? -BigInt(digits) : BigInt(digits)
  }
}
