import { toBytes } from '../../model/bytes.ts'
import { quoteGo } from '../../model/quote.ts'
import { TemplateError, lineOf } from '../lex.ts'
import { type Definition, type Definitions, type Node, show } from '../parse.ts'
import { type Escaper, escaperOf, escapersFor, inSequence, withoutTwin } from './chain.ts'
import {
  type Context,
  type Place,
  type Problem,
  derivedName,
  described,
  htmlText,
  inError,
  isDerived,
  isSame,
  joined,
  nudged,
} from './context.ts'
import { throughText } from './text.ts'

/** What an analysis may look at: definitions are looked at once for each context they are called in. */
const MOST_NODES = 200_000
const DEEPEST_CALL = 500

export interface Analysis {
  /** Analyses a template, and what it calls where that is still to be done. Throws TemplateError. */
  analyse(main: Definition): Analysed
}

/** A template as html/template makes it. */
export interface Analysed {
  main: Definition
  /** All that it reaches, once for each context that it is called in. */
  definitions: Definitions
  /** What each action prints through. */
  escapers: WeakMap<Node, Escaper>
}

/** What is known at one point of an analysis, some of it assumed. */
interface Scope {
  ends: Map<string, Context> // the context behind each definition
  called: Set<string>
  definitions: Definitions
}

type Branch = Extract<Node, { kind: 'if' | 'with' | 'range' }>
interface Walked {
  context: Context
  nodes: readonly Node[]
}

/**
 * Contextual escaping (https://pkg.go.dev/html/template): finds for each action the context it stands in, and
 * so the escapers of what it prints.
 */
export function openAnalysis(given: Definitions): Analysis {
  const ends = new Map<string, Context>()
  const definitions: Definitions = new Map()
  const escapers = new WeakMap<Node, Escaper>()

  return {
    analyse(main) {
      const scope: Scope = { ends: new Map(ends), called: new Set(), definitions: new Map() }
      const end = walker(main, given, escapers).body(scope, htmlText, main, main.name)
      if (end.problem) throw new TemplateError(told(end.problem, main.name))
      if (end.state !== 'Text') throw new TemplateError(`html/template: ends in a non-text context: ${described(end)}`)
      const analysed = scope.definitions.get(main.name) ?? main
      // what calls the template itself has no meaning for another
      if ([...scope.called].some((name) => isDerived(name, main.name)))
        return { main: analysed, definitions: new Map([...definitions, ...scope.definitions]), escapers }
      scope.ends.delete(main.name)
      scope.definitions.delete(main.name)
      for (const [name, context] of scope.ends) ends.set(name, context)
      for (const [name, definition] of scope.definitions) definitions.set(name, definition)
      return { main: analysed, definitions, escapers }
    },
  }
}

function told({ message, place, line }: Problem, main: string): string {
  if (!place) return `html/template:${line === undefined ? '' : `${main}:${line}:`} ${message}`
  const { name, text } = place.origin
  const begin = text.lastIndexOf('\n', place.at - 1) + 1
  const column = toBytes(text.slice(begin, place.at)).length
  return `html/template:${name}:${lineOf(text, place.at)}:${column}: ${message}`
}

function walker(main: Definition, given: Definitions, escapers: WeakMap<Node, Escaper>) {
  const loops: { breaks: [Context, Place][]; continues: [Context, Place][] }[] = []
  let looked = 0
  let depth = 0
  return { body }

  /** The context behind a definition that begins in a context; its derived body goes to the scope. */
  function body(scope: Scope, context: Context, definition: Definition, name: string): Context {
    depth += 1
    if (depth > DEEPEST_CALL)
      throw new TemplateError(`html/template: exceeded maximum template depth (${DEEPEST_CALL})`)
    const first = assuming(scope, context, definition, name)
    // where it calls itself, it should end as it was taken to
    const second = first.holds ? first : assuming(scope, first.end, definition, name)
    depth -= 1
    if (second.holds) return second.end
    if (first.end.state === 'Error') return first.end
    return inError(`cannot compute output context for template ${name}`, {
      at: definition.body[0]?.at ?? 0,
      origin: definition.origin,
    })
  }

  /** The same, taking it to end in the context that it begins in. */
  function assuming(scope: Scope, context: Context, definition: Definition, name: string) {
    scope.ends.set(name, context)
    const inner: Scope = { ends: new Map(scope.ends), called: new Set(), definitions: new Map() }
    const { context: end, nodes } = list(inner, context, definition.body, definition)
    const holds = end.state !== 'Error' && (!inner.called.has(name) || isSame(context, end))
    if (holds) {
      for (const [key, value] of inner.ends) scope.ends.set(key, value)
      for (const [key, value] of inner.definitions) scope.definitions.set(key, value)
      for (const key of inner.called) scope.called.add(key)
      scope.definitions.set(name, { ...definition, name, body: nodes })
      scope.ends.set(name, end)
    }
    return { end, holds }
  }

  function list(scope: Scope, before: Context, nodes: readonly Node[], inside: Definition): Walked {
    let context = before
    const walked: Node[] = []
    for (const node of nodes) {
      looked += 1
      if (looked > MOST_NODES) throw new TemplateError(`html/template: more than ${MOST_NODES} nodes in all contexts`)
      const [next, made] = one(scope, context, node, inside)
      context = next
      walked.push(made)
      if (context.state === 'Dead') break
    }
    return { context, nodes: walked }
  }

  function one(scope: Scope, context: Context, node: Node, inside: Definition): [Context, Node] {
    const place: Place = { at: node.at, origin: inside.origin }
    switch (node.kind) {
      case 'text': {
        const through = throughText(context, node.text)
        return [through.context, { ...node, text: through.text }]
      }
      case 'action':
        return action(context, node, place)
      case 'if':
      case 'with':
      case 'range':
        return branch(scope, context, node, inside)
      case 'template':
        return call(scope, context, node, place)
      case 'break':
        loops.at(-1)?.breaks.push([context, place])
        return [{ ...htmlText, state: 'Dead' }, node]
      case 'continue':
        loops.at(-1)?.continues.push([context, place])
        return [{ ...htmlText, state: 'Dead' }, node]
    }
  }

  function action(before: Context, node: Extract<Node, { kind: 'action' }>, place: Place): [Context, Node] {
    if (node.pipe.declares.length > 0) return [before, node]
    const context = nudged(before)
    const { commands } = node.pipe
    for (const [i, command] of commands.entries()) {
      const name = escaperOf(command)
      if (name === undefined) continue
      const isUnquoted = context.state === 'Attr' && context.delimiter === 'SpaceOrTagEnd'
      if (i < commands.length - 1 || (isUnquoted && name === 'html'))
        return [inError(`predefined escaper ${quoteGo(name)} disallowed in template`, place), node]
    }
    if (context.state === 'Error') return [context, node]
    const wanted = escapersFor(context)
    if (!wanted) return [inError(`${show(node)} appears in an ambiguous context within a URL`, place), node]
    const { pipe, escapers: rest } = withoutTwin(node.pipe, wanted)
    const made: Node = { ...node, pipe }
    escapers.set(made, inSequence(rest))
    return [context.state === 'JS' ? { ...context, slash: 'DivOp' } : context, made]
  }

  function call(
    scope: Scope,
    context: Context,
    node: Extract<Node, { kind: 'template' }>,
    place: Place,
  ): [Context, Node] {
    const name = derivedName(node.name, context)
    scope.called.add(name)
    const made: Node = { ...node, name }
    const known = scope.ends.get(name)
    if (known) return [known, made]
    const definition = node.name === main.name ? main : given.get(node.name)
    if (!definition) return [inError(`no such template ${quoteGo(node.name)}`, place), node]
    return [body(scope, context, definition, name), made]
  }

  function branch(scope: Scope, context: Context, node: Branch, inside: Definition): [Context, Node] {
    const place: Place = { at: node.at, origin: inside.origin }
    const walkBody = (from: Context, into: Scope) => list(into, from, node.body, inside)
    const first = node.kind === 'range' ? looped(() => walkBody(context, scope)) : walkBody(context, scope)
    let end = first.context
    if (node.kind === 'range') {
      if (end.state === 'Error') return [end, node]
      // a body may run behind itself
      const trial: Scope = { ends: new Map(scope.ends), called: new Set(), definitions: new Map() }
      const again = loopedTwice(end, () => walkBody(end, trial), place)
      end = again
      if (end.state === 'Error') return [end, node]
    }
    const otherwise = node.otherwise && list(scope, context, node.otherwise, inside)
    return [
      join(end, otherwise?.context ?? context, node.kind, place),
      { ...node, body: first.nodes, otherwise: otherwise?.nodes },
    ]
  }

  /** Walks the body of a loop: a break or continue is an end of it. */
  function looped(walk: () => Walked): Walked {
    loops.push({ breaks: [], continues: [] })
    const walked = walk()
    return { ...walked, context: withJumps(walked.context) }
  }

  function loopedTwice(first: Context, walk: () => Walked, place: Place): Context {
    loops.push({ breaks: [], continues: [] })
    const end = join(first, walk().context, 'range', place)
    if (end.state !== 'Error') return withJumps(end)
    loops.pop()
    return prefixed('on range loop re-entry: ', end, place)
  }

  function withJumps(end: Context): Context {
    const { breaks, continues } = loops.pop() ?? { breaks: [], continues: [] }
    let context = end
    if (context.state === 'Error') return context
    for (const [jump, place] of breaks) {
      context = join(context, jump, 'range', place)
      if (context.state === 'Error') return prefixed('at range loop break: ', context, place)
    }
    for (const [jump, place] of continues) {
      context = join(context, jump, 'range', place)
      if (context.state === 'Error') return prefixed('at range loop continue: ', context, place)
    }
    return context
  }
}

function join(a: Context, b: Context, kind: string, place: Place): Context {
  const message = () => `{{${kind}}} branches end in different contexts: ${described(a)}, ${described(b)}`
  return joined(a, b) ?? inError(message(), place)
}

/** In place, as what is behind a problem has the same one. */
function prefixed(prefix: string, context: Context, { at, origin }: Place): Context {
  const { problem } = context
  if (problem) Object.assign(problem, { message: prefix + problem.message, line: lineOf(origin.text, at) })
  return context
}
