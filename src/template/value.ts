import { type Labels, compareBytes, sortedNames } from '../model/labels.ts'
import type { Duration, Time } from './time.ts'

/** What a template works with. Integers are bigint, floats number, as Go tells them apart. */
export type Value = undefined | string | bigint | number | boolean | List | Kv | Dict | Struct | Time | Duration

/** A list; Go's type of it decides which functions take it. */
export class List {
  readonly items: readonly Value[]
  readonly of: 'string' | 'any' | 'Alert' | 'Pair'
  constructor(items: readonly Value[], of: List['of']) {
    this.items = items
    this.of = of
  }
}

/** Names to texts, with Alertmanager's methods. */
export class Kv {
  readonly labels: Labels
  constructor(labels: Labels) {
    this.labels = labels
  }

  /** `alertname` first, the rest in byte order. */
  names(): string[] {
    const names = sortedNames(this.labels)
    return names.includes('alertname') ? ['alertname', ...names.filter((name) => name !== 'alertname')] : names
  }

  toString(): string {
    return this.names()
      .map((name) => `${name}=${this.labels.get(name)}`)
      .join(', ')
  }
}

/** What `dict` makes. */
export class Dict {
  readonly entries: ReadonlyMap<string, Value>
  constructor(entries: ReadonlyMap<string, Value>) {
    this.entries = entries
  }

  keys(): string[] {
    return [...this.entries.keys()].sort(compareBytes)
  }
}

/** Named fields and nothing else: no JavaScript object is within reach of a template. */
export class Struct {
  readonly type: string // Go's name of it
  readonly fields: ReadonlyMap<string, Value>
  readonly json: ReadonlyMap<string, string> // field → its name in JSON, in order
  constructor(type: string, fields: ReadonlyMap<string, Value>, json: ReadonlyMap<string, string>) {
    this.type = type
    this.fields = fields
    this.json = json
  }
}

/** Go's idea of emptiness: what `if` takes for false. */
export function isTrue(value: Value): boolean {
  if (value instanceof List) return value.items.length > 0
  if (value instanceof Kv) return value.labels.size > 0
  if (value instanceof Dict) return value.entries.size > 0
  if (typeof value === 'object') return true
  return Boolean(value)
}
