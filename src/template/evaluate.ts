import { type Now, functions, method } from './functions.ts'
import { TemplateError } from './lex.ts'
import type { Definitions, Node, Pipe, Term } from './parse.ts'
import { print, typeName } from './print.ts'
import { Dict, Kv, List, Struct, type Value, isTrue } from './value.ts'

/** What a template may use up: one that loops or grows without end fails, and nothing else does. */
const MOST_STEPS = 100_000
const MOST_OUTPUT = 1_000_000
const MOST_DEPTH = 100
const LONGEST_RANGE = 10_000n

interface Variable {
  name: string
  value: Value
}
type Flow = 'next' | 'break' | 'continue'

/** Runs a parsed template. `escape` is applied to what actions print. Throws TemplateError. */
export function evaluate(
  body: readonly Node[],
  data: Value,
  definitions: Definitions,
  now: Now,
  escape: (text: string) => string,
): string {
  let output = ''
  let steps = 0
  let depth = 0

  run(body, data, [{ name: '$', value: data }])
  return output

  function write(text: string): void {
    output += text
    if (output.length > MOST_OUTPUT) throw new TemplateError(`the output is longer than ${MOST_OUTPUT} characters`)
  }

  function run(nodes: readonly Node[], dot: Value, scope: Variable[]): Flow {
    const local = [...scope] // what is declared in here ends here; what is assigned stays
    for (const node of nodes) {
      steps += 1
      if (steps > MOST_STEPS) throw new TemplateError(`the template takes more than ${MOST_STEPS} steps`)
      const flow = runOne(node, dot, local)
      if (flow !== 'next') return flow
    }
    return 'next'
  }

  function runOne(node: Node, dot: Value, scope: Variable[]): Flow {
    switch (node.kind) {
      case 'text':
        write(node.text)
        return 'next'
      case 'action': {
        const value = pipeline(node.pipe, dot, scope)
        if (node.pipe.declares.length === 0) write(escape(print(value)))
        return 'next'
      }
      case 'if':
      case 'with': {
        const inner = [...scope]
        const value = pipeline(node.pipe, dot, inner)
        if (!isTrue(value)) return run(node.otherwise, dot, inner)
        return run(node.body, node.kind === 'with' ? value : dot, inner)
      }
      case 'range':
        return range(node, dot, [...scope])
      case 'template':
        return call(node.name, node.pipe && pipeline(node.pipe, dot, scope))
      case 'break':
      case 'continue':
        return node.kind
    }
  }

  function call(name: string, dot: Value): Flow {
    const nodes = definitions.get(name)
    if (!nodes) throw new TemplateError(`template ${JSON.stringify(name)} not defined`)
    depth += 1
    if (depth > MOST_DEPTH) throw new TemplateError(`templates call each other deeper than ${MOST_DEPTH} levels`)
    run(nodes, dot, [{ name: '$', value: dot }])
    depth -= 1
    return 'next'
  }

  function range(node: Extract<Node, { kind: 'range' }>, dot: Value, scope: Variable[]): Flow {
    const { declares, assigns } = node.pipe
    const value = pipeline({ ...node.pipe, declares: [] }, dot, scope)
    const entries = entriesOf(value)
    if (entries.length === 0) return run(node.otherwise, dot, scope)
    for (const [key, element] of entries) {
      const inner = [...scope]
      const [first, second] = declares
      const bind = (name: string, bound: Value) => {
        if (assigns) assign(name, bound, inner)
        else inner.push({ name, value: bound })
      }
      if (first !== undefined && second !== undefined) {
        bind(first, key)
        bind(second, element)
      } else if (first !== undefined) {
        bind(first, element)
      }
      if (run(node.body, element, inner) === 'break') break
    }
    return 'next'
  }

  function pipeline(pipe: Pipe, dot: Value, scope: Variable[]): Value {
    let value: Value
    for (const [i, terms] of pipe.commands.entries()) value = command(terms, dot, scope, i === 0 ? [] : [value])
    for (const name of pipe.declares) {
      if (pipe.assigns) assign(name, value, scope)
      else scope.push({ name, value })
    }
    return value
  }

  function command(terms: readonly Term[], dot: Value, scope: Variable[], piped: readonly Value[]): Value {
    steps += 1
    const [first, ...rest] = terms
    if (!first) return undefined
    const args = () => [...rest.map((term) => operand(term, dot, scope)), ...piped]
    if (first.kind === 'function') return callFunction(first.name, rest, dot, scope, piped)
    if (first.kind === 'field') return chain(dot, first.fields, args())
    if (first.kind === 'variable' && first.fields.length > 0)
      return chain(variable(first.name, scope), first.fields, args())
    if (first.kind === 'pipe' && first.fields.length > 0)
      return chain(pipeline(first.pipe, dot, scope), first.fields, args())
    if (rest.length + piped.length > 0) throw new TemplateError("can't give argument to non-function")
    return operand(first, dot, scope)
  }

  function callFunction(
    name: string,
    rest: readonly Term[],
    dot: Value,
    scope: Variable[],
    piped: readonly Value[],
  ): Value {
    if (name === 'and' || name === 'or') {
      let value: Value
      for (const term of [...rest, ...piped]) {
        value = isTerm(term) ? operand(term, dot, scope) : term
        if (isTrue(value) === (name === 'or')) return value
      }
      return value
    }
    const args = [...rest.map((term) => operand(term, dot, scope)), ...piped]
    const found = functions.get(name)
    if (!found) throw new TemplateError(`function ${JSON.stringify(name)} not defined`)
    return found(args, now)
  }

  function operand(term: Term, dot: Value, scope: Variable[]): Value {
    switch (term.kind) {
      case 'dot':
        return dot
      case 'nil':
        return undefined
      case 'literal':
        return term.value
      case 'variable':
        return chain(variable(term.name, scope), term.fields, [])
      case 'field':
        return chain(dot, term.fields, [])
      case 'function':
        return callFunction(term.name, [], dot, scope, [])
      case 'pipe':
        return chain(pipeline(term.pipe, dot, scope), term.fields, [])
    }
  }
}

function isTerm(value: Term | Value): value is Term {
  return typeof value === 'object' && 'kind' in value && !(value instanceof Struct)
}

function variable(name: string, scope: readonly Variable[]): Value {
  return scope.findLast((one) => one.name === name)?.value
}

function assign(name: string, value: Value, scope: readonly Variable[]): void {
  const found = scope.findLast((one) => one.name === name)
  if (found) found.value = value
}

/** `.a.b` on a value; arguments go to the last one, where it is a method. */
function chain(start: Value, fields: readonly string[], args: readonly Value[]): Value {
  let value = start
  for (const [i, name] of fields.entries()) value = field(value, name, i === fields.length - 1 ? args : [])
  return value
}

function field(value: Value, name: string, args: readonly Value[]): Value {
  const called = method(value, name, args)
  if (called) return called.value
  if (args.length > 0) throw new TemplateError(`${name} has arguments but cannot be invoked as function`)
  if (value instanceof Kv) return value.labels.get(name) ?? ''
  if (value instanceof Dict) return value.entries.get(name)
  if (value instanceof Struct && value.fields.has(name)) return value.fields.get(name)
  if (value === undefined) throw new TemplateError(`nil data; no entry for key ${JSON.stringify(name)}`)
  throw new TemplateError(`can't evaluate field ${name} in type ${typeName(value)}`)
}

function entriesOf(value: Value): [Value, Value][] {
  if (value === undefined) return []
  if (value instanceof List) return value.items.map((item, i) => [BigInt(i), item])
  if (value instanceof Kv)
    return value
      .names()
      .sort()
      .map((name) => [name, value.labels.get(name)])
  if (value instanceof Dict) return value.keys().map((key) => [key, value.entries.get(key)])
  if (typeof value === 'bigint') {
    if (value > LONGEST_RANGE) throw new TemplateError(`range over more than ${LONGEST_RANGE}`)
    return Array.from({ length: Math.max(0, Number(value)) }, (_, i) => [BigInt(i), BigInt(i)])
  }
  throw new TemplateError(`range can't iterate over ${print(value)}`)
}
