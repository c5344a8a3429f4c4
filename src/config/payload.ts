import { type Document, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import { Plain, fromPlain } from '../model/plain.ts'

/** What aliases may unfold to. */
const MOST_NODES = 100_000
const DEEPEST = 100

/**
 * What a rendered text in a structured field stands for, decoded as YAML 1.1: `5` is a number, `{"a":1}` and
 * `a: b` are maps; whatever is a text, or no YAML, is the text itself. Keys that are no texts are left out.
 */
export function decodePayload(text: string): unknown {
  if (/[[{]{100}/.test(text)) return text // the parser recurses
  if (/^ *\t|^\.\.\./.test(text)) return text // where Go's parser sees no document, ours sees an empty one
  const document: Document.Parsed = parseDocument(text, { schema: 'failsafe', prettyErrors: false, logLevel: 'silent' })
  if (document.errors.some(({ code }) => code !== 'MULTIPLE_DOCS')) return text
  let nodes = 0

  function decode(node: unknown, depth: number): unknown {
    nodes += 1
    if (nodes > MOST_NODES || depth > DEEPEST) throw new NoYaml()
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (!target) throw new NoYaml()
      return decode(target, depth + 1)
    }
    if (isSeq(node)) return node.items.map((item) => decode(item, depth + 1))
    if (isMap(node)) {
      const entries = node.items.flatMap(({ key, value }): [string, unknown][] => {
        const name = decode(key, depth + 1)
        return typeof name === 'string' ? [[name, decode(value, depth + 1)]] : []
      })
      return Object.fromEntries(entries)
    }
    if (!isScalar(node)) return null
    const given = typeof node.value === 'string' ? node.value : ''
    const plain = node.type === 'PLAIN' && !node.tag ? fromPlain(given) : given
    return plain instanceof Plain ? plain.value : plain
  }

  try {
    const decoded = decode(document.contents, 0)
    return typeof decoded === 'string' ? text : decoded
  } catch (error) {
    if (error instanceof NoYaml || error instanceof ReferenceError) return text
    throw error
  }
}

class NoYaml extends Error {}
