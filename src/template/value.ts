import { type Labels, compareBytes, sortedNames } from '../model/labels.ts'
import { noLabels } from './data.ts'
import type { Duration, Location, Time } from './time.ts'

/**
 * What a template works with: Go's values. bigint is Go's int, number its float64, undefined its nil; a
 * text is as `bytes.ts` has it.
 */
export type Value =
  | undefined
  | string
  | bigint
  | number
  | boolean
  | Whole
  | Complex
  | Safe
  | List
  | Kv
  | Dict
  | Struct
  | Time
  | Duration
  | Location

/** A whole number of another type than int; a month and a weekday have names. */
export class Whole {
  readonly value: bigint
  readonly type: 'int64' | 'uint8' | 'uint64' | 'time.Month' | 'time.Weekday'
  constructor(value: bigint, type: Whole['type']) {
    this.value = value
    this.type = type
  }
}

export class Complex {
  readonly real: number
  readonly imaginary: number
  constructor(real: number, imaginary: number) {
    this.real = real
    this.imaginary = imaginary
  }
}

/** A text that html/template trusts as it is. */
export class Safe {
  readonly text: string
  readonly kind: 'HTML' | 'URL'
  constructor(text: string, kind: Safe['kind']) {
    this.text = text
    this.kind = kind
  }
}

/** What is made of other values. */
abstract class Composite {
  weight: number | undefined // once cost.ts has weighed it: many calls do
}

/** A list; Go's type of it decides which functions take it and which methods it has. */
export class List extends Composite {
  readonly items: readonly Value[]
  readonly type: '[]string' | '[]interface {}' | 'template.Alerts' | '[]template.Alert' | 'template.Pairs'
  readonly isNil: boolean // empty, and without a place of its own: `null` in JSON
  readonly spare: readonly Value[] // behind its end, where it was cut out of a longer one: a slice of it may reach there
  constructor(items: readonly Value[], type: List['type'], isNil = false, spare: readonly Value[] = []) {
    super()
    this.items = items
    this.type = type
    this.isNil = isNil
    this.spare = spare
  }
}

/** Names to texts, with Alertmanager's methods. */
export class Kv extends Composite {
  readonly labels: Labels
  #keys: readonly string[] | undefined
  #names: readonly string[] | undefined
  constructor(labels: Labels) {
    super()
    this.labels = labels
  }

  /** Not there at all: `null` in JSON. */
  get isNil(): boolean {
    return this.labels === noLabels
  }

  /** In byte order. */
  keys(): readonly string[] {
    this.#keys ??= sortedNames(this.labels)
    return this.#keys
  }

  /** `alertname` first, the rest in byte order. */
  names(): readonly string[] {
    this.#names ??= this.labels.has('alertname')
      ? ['alertname', ...this.keys().filter((name) => name !== 'alertname')]
      : this.keys()
    return this.#names
  }
}

/** What `dict` makes. */
export class Dict extends Composite {
  readonly entries: ReadonlyMap<string, Value>
  #keys: readonly string[] | undefined
  constructor(entries: ReadonlyMap<string, Value>) {
    super()
    this.entries = entries
  }

  /** In byte order. */
  keys(): readonly string[] {
    this.#keys ??= [...this.entries.keys()].sort(compareBytes)
    return this.#keys
  }
}

/** Named fields and nothing else: no JavaScript object is within reach of a template. */
export class Struct extends Composite {
  readonly type: 'template.Data' | 'template.Alert' | 'template.Pair'
  readonly json: ReadonlyMap<string, string> // field → its name in JSON, in order
  readonly #read: (field: string) => Value
  #made: Map<string, Value> | undefined
  /** `read` makes a field where one is asked for: a template reads few, and there may be thousands of alerts. */
  constructor(type: Struct['type'], read: (field: string) => Value, json: ReadonlyMap<string, string>) {
    super()
    this.type = type
    this.json = json
    this.#read = read
  }

  /** Undefined where there is none of the name: none is nil. */
  field(name: string): Value {
    const made = this.#made?.get(name)
    if (made !== undefined) return made
    const value = this.#read(name)
    if (typeof value !== 'object') return value
    this.#made ??= new Map()
    this.#made.set(name, value)
    return value
  }
}

/** A pair of a Kv. */
export function pair(name: string, value: string): Struct {
  const read = (field: string) => (field === 'Name' ? name : field === 'Value' ? value : undefined)
  return new Struct('template.Pair', read, pairJson)
}

const pairJson = new Map([
  ['Name', 'Name'],
  ['Value', 'Value'],
])
