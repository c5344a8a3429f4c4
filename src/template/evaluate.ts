import { clean } from '../model/bytes.ts'
import { quoteGo } from '../model/quote.ts'
import { Arguments, type Callable, type Context, type Parameter, type World, fits } from './call.ts'
import { ARGUMENT, budgetFor, leastBudget, costOf, costOfCall, costOfPrinting } from './cost.ts'
import { print, typeName, wholeOf } from './format.ts'
import { functions, isTrue } from './functions.ts'
import { TemplateError, lineOf } from './lex.ts'
import { methodOf } from './methods.ts'
import { type Command, type Definition, type Definitions, type Node, type Pipe, type Term, show } from './parse.ts'
import { Dict, Kv, List, Struct, type Value, Whole } from './value.ts'
import { Duration } from './time.ts'

const DEEPEST_CALL = 500

type Literal = Extract<Term, { kind: 'bool' | 'number' | 'string' }>

interface Variable {
  name: string
  value: Held
}
type Flow = 'next' | 'break' | 'continue'
/** No value comes down the pipe; nil may. */
const nothing = Symbol('nothing')
type Final = Value | typeof nothing

/** A value out of a list or dict of anything, nil too. Only Go's messages tell it from the value itself. */
class Boxed {
  readonly value: Value
  constructor(value: Value) {
    this.value = value
  }
}
type Held = Value | Boxed
const noTerms: readonly Term[] = []
const unboxed = (held: Held): Value => (held instanceof Boxed ? held.value : held)

/** What an action prints, made fit for where it stands. */
export type Escape = (value: Value, node: Node) => string

/** How a value prints in a text. */
export function printed(value: Value): string {
  return value === undefined ? '<no value>' : print([value])
}

/**
 * Runs a template by the rules of Go's text/template (missingkey=zero), with its messages. What actions
 * print goes through `escape`. Throws TemplateError.
 */
export function evaluate(
  main: Definition,
  data: Value,
  definitions: Definitions,
  world: World,
  escape: Escape = printed,
): string {
  let output = ''
  let steps = 0
  let depth = 0
  let template = main
  let node: Node | Command | Term | undefined // what is looked at, for messages
  let budget = leastBudget
  const context: Context = { ...world, spend }
  let variables: Variable[] = [{ name: '$', value: data }]

  function fail(message: string): never {
    if (!node) throw new TemplateError(`template: ${template.name}: ${message}`)
    const { text, name } = template.origin
    const line = lineOf(text, node.at)
    const begin = text.lastIndexOf('\n', node.at - 1) + 1
    const column = new TextEncoder().encode(text.slice(begin, node.at)).length
    throw new TemplateError(
      `template: ${name}:${line}:${column}: executing ${quoteGo(template.name)} at <${show(node)}>: ${clean(message)}`,
    )
  }
  function spend(amount: number): void {
    steps += amount
    if (steps <= budget.steps) return
    budget = budgetFor(data) // weighs all of it, for which most have no need
    if (steps > budget.steps) fail(`the template takes more than ${budget.steps} steps`)
  }
  function write(text: string): void {
    spend(costOf(text))
    output += text
    if (output.length <= budget.output) return
    budget = budgetFor(data)
    if (output.length > budget.output) fail(`the output is longer than ${budget.output} characters`)
  }

  try {
    run(main.body, data)
  } catch (error) {
    // V8's stack is the last limit
    if (error instanceof RangeError && /call stack/i.test(error.message)) fail('exceeded maximum template depth')
    throw error
  }
  return clean(output)

  function run(nodes: readonly Node[], dot: Held): Flow {
    for (const one of nodes) {
      spend(1)
      node = one
      const flow = runOne(one, dot)
      if (flow !== 'next') return flow
    }
    return 'next'
  }

  function runOne(one: Node, dot: Held): Flow {
    switch (one.kind) {
      case 'text':
        write(one.text)
        return 'next'
      case 'action': {
        const value = pipeline(one.pipe, dot)
        if (one.pipe.declares.length > 0) return 'next'
        node = one
        spend(costOfPrinting(value))
        write(escaped(value, one))
        return 'next'
      }
      case 'if':
      case 'with': {
        const mark = variables.length
        const value = pipeline(one.pipe, dot)
        const holds = isTrue(value)
        const flow = holds
          ? run(one.body, one.kind === 'with' ? value : dot)
          : one.otherwise
            ? run(one.otherwise, dot)
            : 'next'
        variables.length = mark
        return flow
      }
      case 'range':
        return range(one, dot)
      case 'template':
        return call(one, dot)
      case 'break':
      case 'continue':
        return one.kind
    }
  }

  function escaped(value: Value, one: Node): string {
    try {
      return escape(value, one)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      return fail(error.message)
    }
  }

  function call(one: Extract<Node, { kind: 'template' }>, dot: Held): Flow {
    const called = definitions.get(one.name)
    if (!called) fail(`template ${quoteGo(one.name)} not defined`)
    if (depth >= DEEPEST_CALL) fail(`exceeded maximum template depth (${DEEPEST_CALL})`)
    spend(1)
    const value = one.pipe && pipeline(one.pipe, dot)
    const [outerTemplate, outerVariables] = [template, variables]
    depth += 1
    template = called
    variables = [{ name: '$', value }]
    run(called.body, value)
    depth -= 1
    template = outerTemplate
    variables = outerVariables
    return 'next'
  }

  function range(one: Extract<Node, { kind: 'range' }>, dot: Held): Flow {
    const outer = variables.length
    const value = pipeline(one.pipe, dot)
    const mark = variables.length
    const [first, second] = one.pipe.declares
    const isCount = !(value instanceof Duration) && (typeof value === 'bigint' || value instanceof Whole)
    if (isCount && second !== undefined) fail(`can't use ${printed(value)} to iterate over more than one variable`)
    const any = each(value, second !== undefined, (key, element) => {
      spend(1)
      const ofFirst = second === undefined ? element : key
      if (one.pipe.assigns) {
        if (first !== undefined) assign(first, ofFirst)
        if (second !== undefined) assign(second, element)
      } else {
        // the pipe declared them already, as the whole of what is ranged over
        if (first !== undefined) variables[outer] = { name: first, value: ofFirst }
        if (second !== undefined) variables[outer + 1] = { name: second, value: element }
      }
      const flow = run(one.body, element)
      variables.length = mark
      return flow !== 'break'
    })
    const flow = !any && one.otherwise ? run(one.otherwise, dot) : 'next'
    variables.length = outer
    return flow
  }

  /** Goes through what a value holds for as long as `visit` wants more. Whether there was anything. */
  function each(value: Value, wantsKeys: boolean, visit: (key: Value, element: Held) => boolean): boolean {
    if (value === undefined) return false
    if (value instanceof List) {
      const isBoxed = value.type === '[]interface {}'
      let i = 0
      for (const item of value.items)
        if (!visit(wantsKeys ? BigInt(i++) : undefined, isBoxed ? new Boxed(item) : item)) break
      return value.items.length > 0
    }
    if (value instanceof Kv) {
      for (const key of value.keys()) if (!visit(key, value.labels.get(key))) break
      return value.labels.size > 0
    }
    if (value instanceof Dict) {
      for (const key of value.keys()) if (!visit(key, new Boxed(value.entries.get(key)))) break
      return value.entries.size > 0
    }
    const count = wholeOf(value)
    if (count === undefined) fail(`range can't iterate over ${printed(value)}`)
    const wrap = (i: bigint) => {
      if (value instanceof Whole) return new Whole(i, value.type)
      return value instanceof Duration ? new Duration(i) : i
    }
    for (let i = 0n; i < count; i++) if (!visit(i, wrap(i))) break
    return count > 0n
  }

  function pipeline(pipe: Pipe, dot: Held): Value {
    node = pipe
    let value: Final = nothing
    for (const one of pipe.commands) value = unboxed(command(one, dot, value))
    const result = value === nothing ? undefined : value
    for (const name of pipe.declares) {
      if (pipe.assigns) assign(name, result)
      else variables.push({ name, value: result })
    }
    return result
  }

  function assign(name: string, value: Held): void {
    find(name).value = value
  }

  function find(name: string): Variable {
    for (let i = variables.length - 1; i >= 0; i--) {
      const found = variables[i]
      if (found?.name !== name) continue
      spend((variables.length - i) / 16)
      return found
    }
    return fail(`undefined variable: ${name}`)
  }

  function command(one: Command, dot: Held, final: Final): Held {
    spend(1)
    const first = one.terms[0]
    if (!first) return undefined
    switch (first.kind) {
      case 'field':
      case 'chain':
      case 'variable':
        return operand(first, dot, one.terms, final)
      case 'function':
        return callFunction(first, one, dot, one.terms, final)
      case 'pipe':
        notAFunction(first, one.terms, final)
        return pipeline(first, dot)
      default:
        node = first
        notAFunction(first, one.terms, final)
        if (first.kind === 'nil') fail('nil is not a command')
        return first.kind === 'dot' ? dot : constant(first)
    }
  }

  function notAFunction(first: Term, terms: readonly Term[], final: Final): void {
    if (terms.length > 1 || final !== nothing) fail(`can't give argument to non-function ${show(first)}`)
  }

  function callFunction(
    term: Extract<Term, { kind: 'function' }>,
    at: Command | Term,
    dot: Held,
    terms: readonly Term[],
    final: Final,
  ): Value {
    node = term
    const found = functions.get(term.name)
    if (!found) fail(`${quoteGo(term.name)} is not a defined function`)
    return invoke(found, term.name, at, dot, terms, final)
  }

  /** Calls with the terms behind the first, which is what is called, and with what comes down the pipe. */
  function invoke(
    { parameters, rest, unusable, call: run_ }: Callable,
    name: string,
    at: Command | Term,
    dot: Held,
    terms: readonly Term[],
    final: Final,
  ): Value {
    const given = Math.max(terms.length - 1, 0)
    const count = given + (final === nothing ? 0 : 1)
    if (rest === undefined ? count !== parameters.length : count < parameters.length)
      fail(
        `wrong number of args for ${name}: want ${rest === undefined ? '' : 'at least '}${parameters.length} got ${rest === undefined ? count : given}`,
      )
    if (unusable !== undefined) fail(unusable)
    if (name === 'and' || name === 'or') {
      let value: Value
      for (let i = 1; i <= given; i++) {
        value = argument('interface {}', terms[i], dot)
        if (isTrue(value) === (name === 'or')) return value
      }
      return final === nothing ? value : final
    }
    const values: Value[] = []
    for (let i = 0; i < given; i++) values.push(argument(parameters[i] ?? rest ?? 'interface {}', terms[i + 1], dot))
    if (final !== nothing) values.push(checked(final, parameters[given] ?? rest ?? 'interface {}'))
    spend(costOfCall(name, values))
    try {
      const value = run_(new Arguments(values), context)
      spend(costOf(value))
      return value
    } catch (error) {
      if (!(error instanceof TemplateError) || error.message.startsWith('template: ')) throw error
      node = at
      const first = terms[1]
      const called = first ? show(first) : typeof final === 'string' ? final : `<${typeName(values[0])} Value>`
      const told =
        name === 'call' ? error.message.replace(/^non-function/, () => `non-function ${called}`) : error.message
      return fail(`error calling ${name}: ${told}`)
    }
  }

  /** What a literal is where nothing says what it should be. */
  function constant(term: Literal): Value {
    return term.value === undefined ? fail(`${show(term)} overflows int`) : term.value
  }

  function argument(parameter: Parameter, term: Term | undefined, dot: Held): Value {
    if (!term) return undefined
    spend(ARGUMENT)
    node = term
    switch (term.kind) {
      case 'dot':
        return checked(dot, parameter)
      case 'nil':
        if (parameter === 'string' || parameter === 'int' || parameter === 'time.Time' || parameter === 'time.Duration')
          fail(`cannot assign nil to ${parameter}`)
        return undefined
      case 'field':
      case 'variable':
      case 'chain':
        return checked(operand(term, dot, noTerms, nothing), parameter)
      case 'pipe':
        return checked(pipeline(term, dot), parameter)
      case 'function':
        return checked(callFunction(term, term, dot, noTerms, nothing), parameter)
      default:
        return literal(term, parameter)
    }
  }

  function literal(term: Literal, parameter: Parameter): Value {
    switch (parameter) {
      case 'interface {}':
        return constant(term)
      case 'string':
        return term.kind === 'string' ? term.value : fail(`expected string; found ${show(term)}`)
      case 'int':
      case 'time.Duration': {
        const whole = term.kind === 'number' ? term.whole : undefined
        if (whole === undefined) fail(`expected integer; found ${show(term)}`)
        return parameter === 'int' ? whole : new Duration(whole)
      }
      default:
        return fail(`can't handle ${show(term)} for arg of type ${parameter}`)
    }
  }

  function checked(held: Held, parameter: Parameter): Value {
    const value = unboxed(held)
    if (fits(value, parameter)) return value
    if (value === undefined) {
      if (held instanceof Boxed) return fail(`wrong type for value; expected ${parameter}; got interface {}`)
      if (parameter === '[]string' || parameter === '[]interface {}' || parameter === '*time.Location') return undefined
      return fail(`invalid value; expected ${parameter}`)
    }
    return fail(`wrong type for value; expected ${parameter}; got ${typeName(value)}`)
  }

  /** A field, variable or chain, its arguments going to the last of its parts. */
  function operand(
    term: Extract<Term, { kind: 'field' | 'variable' | 'chain' }>,
    dot: Held,
    terms: readonly Term[],
    final: Final,
  ): Held {
    node = term
    if (term.kind === 'variable' && term.fields.length === 0) {
      notAFunction(term, terms, final)
      return find(term.name).value
    }
    let receiver = dot
    if (term.kind === 'variable') receiver = find(term.name).value
    if (term.kind === 'chain') receiver = argument('interface {}', term.of, dot)
    const last = term.fields.length - 1
    for (let i = 0; i < last; i++) receiver = field(receiver, term.fields[i] ?? '', term, dot, noTerms, nothing)
    return field(receiver, term.fields[last] ?? '', term, dot, terms, final)
  }

  function field(held: Held, name: string, term: Term, dot: Held, terms: readonly Term[], final: Final): Held {
    const receiver = unboxed(held)
    if (receiver === undefined) {
      return held instanceof Boxed ? fail(`nil pointer evaluating interface {}.${name}`) : undefined
    }
    const method = receiver instanceof Struct ? undefined : methodOf(receiver, name)
    if (method) return invoke(method, name, term, dot, terms, final)
    const hasArguments = terms.length > 1 || final !== nothing
    if (receiver instanceof Kv || receiver instanceof Dict) {
      if (hasArguments) fail(`${name} is not a method but has arguments`)
      return receiver instanceof Kv ? (receiver.labels.get(name) ?? '') : new Boxed(receiver.entries.get(name))
    }
    const found = receiver instanceof Struct ? receiver.field(name) : undefined
    if (found !== undefined) {
      if (hasArguments) fail(`${name} has arguments but cannot be invoked as function`)
      return found
    }
    return fail(`can't evaluate field ${name} in type ${held instanceof Boxed ? 'interface {}' : typeName(receiver)}`)
  }
}
