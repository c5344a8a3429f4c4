import { Dict, Kv, List, Safe, Struct, type Value } from './value.ts'
import { Time } from './time.ts'

// What running a template costs, so that one that loops or grows without end fails. A step is what a simple action
// takes, some 200 ns where this was measured. What a template may cost grows with its data, since all real ones go
// through it: by the weight of its alerts, of which each unit costs the default mail 0.3 steps and makes it 2.2 characters.

const MOST_STEPS = 100_000
const STEPS_OF_DATA = 1
const MOST_OUTPUT = 1_000_000
const OUTPUT_OF_DATA = 7

/** What rendering may use up. */
export interface Budget {
  steps: number
  output: number // characters
}

/** Over whatever data. */
export const leastBudget: Budget = { steps: MOST_STEPS, output: MOST_OUTPUT }

export function budgetFor(data: Value): Budget {
  const weight = weightOf(data)
  return { steps: MOST_STEPS + STEPS_OF_DATA * weight, output: MOST_OUTPUT + OUTPUT_OF_DATA * weight }
}

/** So many characters that are only copied cost a step. */
const STEP_LENGTH = 64

/** What a call costs: steps of its own, and how many times slower than copying it goes through what it is given. */
interface Price {
  steps: number
  times: number
  deep: boolean // it looks at all that its arguments hold
}
const usual: Price = { steps: 1, times: 1, deep: false }
const deep = (steps: number, times: number): Price => ({ steps, times, deep: true })

const prices = new Map<string, Price>([
  ['print', deep(1, 12)],
  ['println', deep(1, 12)],
  ['printf', deep(12, 32)],
  ['String', deep(4, 12)],
  ['toJson', deep(4, 16)],
  ['html', deep(1, 12)],
  ['js', deep(1, 64)],
  ['urlquery', deep(1, 32)],
  ['eq', deep(1, 1)],
  ['ne', deep(1, 1)],
  ['lt', deep(1, 4)],
  ['le', deep(1, 4)],
  ['gt', deep(1, 4)],
  ['ge', deep(1, 4)],
  ['len', { steps: 1, times: 4, deep: false }],
  ['index', { steps: 1, times: 8, deep: false }],
  ['slice', { steps: 1, times: 8, deep: false }],
  ['toUpper', deep(1, 64)],
  ['toLower', deep(1, 64)],
  ['title', deep(1, 64)],
  ['urlUnescape', deep(6, 32)],
  ['trimSpace', deep(1, 8)],
  ['join', deep(1, 4)],
  ['Join', deep(1, 8)],
  ['base64encode', deep(1, 32)],
  ['base64decode', deep(1, 32)],
  ['toDate', deep(60, 32)],
  ['mustToDate', deep(60, 32)],
  ['match', deep(2, 1)],
  ['reReplaceAll', deep(4, 4)],
  ['humanizeDuration', deep(24, 16)],
  ['SortedPairs', deep(4, 1)],
  ['Names', deep(2, 1)],
  ['Values', deep(2, 1)],
  ['Remove', deep(8, 4)],
  ['Firing', deep(4, 1)],
  ['Resolved', deep(4, 1)],
  ['tz', deep(60, 1)],
  ['Local', deep(60, 1)],
  ['In', deep(60, 1)],
  ['IsDST', deep(120, 1)],
  ['AddDate', deep(100, 1)],
  ['Add', deep(60, 1)],
  ['Round', deep(60, 1)],
  ['Truncate', deep(60, 1)],
  ['date', deep(15, 64)],
  ['Format', deep(15, 64)],
])

/** Steps that a call takes before it is made. */
export function costOfCall(name: string, args: readonly Value[]): number {
  const price = prices.get(name) ?? usual
  let characters = 0
  for (const value of args) characters += price.deep ? weightOf(value) : sizeOf(value)
  return price.steps + (characters * price.times) / STEP_LENGTH
}

/** Steps that it takes to have made a value, what it holds left out. */
export function costOf(value: Value): number {
  return sizeOf(value) / STEP_LENGTH
}

/** Steps that it takes to look at an argument, whatever is in it left out. */
export const ARGUMENT = 0.25

/** Steps that it takes to compile a pattern: repetitions count as often as they may be nested. */
export function costOfPattern(pattern: string): number {
  let repeated = 1
  for (const [, least, most] of pattern.matchAll(/\{(\d+)(?:,(\d+))?/g)) {
    repeated *= Math.max(2, Number(least), Number(most ?? 0))
  }
  return 60 + pattern.length * (8 + Math.min(repeated, 1000) / 4)
}

/** Steps that it takes to look for a compiled pattern. */
export function costOfMatch(programSize: number, text: string): number {
  return (programSize * text.length) / 100
}

/** Steps that it takes to print a value. */
export function costOfPrinting(value: Value): number {
  return (12 * weightOf(value)) / STEP_LENGTH
}

function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Safe) return value.text.length
  if (value instanceof List) return 32 * value.items.length
  return value instanceof Dict ? 64 * value.entries.size : 16
}

/** About as many characters as a value prints to, all that it holds counted as often as it is held. */
function weightOf(value: Value): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Safe) return value.text.length
  if (value instanceof Time) return 200
  // very large and very small ones have hundreds of digits
  if (typeof value === 'number')
    return Number.isFinite(value) && value !== 0 ? 16 + Math.abs(Math.log2(Math.abs(value))) / 4 : 16
  if (!(value instanceof List || value instanceof Kv || value instanceof Dict || value instanceof Struct)) return 16
  if (value.weight !== undefined) return value.weight
  let weight = 32
  for (const part of partsOf(value)) weight += 16 + weightOf(part)
  value.weight = weight
  return weight
}

function* partsOf(value: List | Kv | Dict | Struct): Iterable<Value> {
  if (value instanceof List) yield* value.items
  else if (value instanceof Struct) for (const name of value.json.keys()) yield value.field(name)
  else
    for (const [name, part] of value instanceof Kv ? value.labels : value.entries) {
      yield name
      yield part
    }
}
