import { Duration, Location, Time } from './time.ts'
import { List, type Value, Whole } from './value.ts'

/** What a function may know of the world. */
export interface World {
  at: number // now, epoch ms
  routeLabel(name: string): string // '' where the route has none of the name
}

/** What a function is called in. */
export interface Context extends World {
  /** Counts steps that only the function knows of. Throws TemplateError where there were too many. */
  spend(steps: number): void
}

/** Types of parameters, by Go's names. */
export type Parameter =
  | 'interface {}'
  | 'string'
  | 'int'
  | '[]string'
  | '[]interface {}'
  | 'time.Time'
  | 'time.Duration'
  | '*time.Location'

/** A function or method: its parameters, a last one that may come any number of times, and what it does with checked arguments. */
export interface Callable {
  parameters: readonly Parameter[]
  rest?: Parameter
  unusable?: string // why Go's templates can't call it
  call(args: Arguments, context: Context): Value
}

/** Checked arguments, read by their type. */
export class Arguments {
  readonly values: readonly Value[]
  constructor(values: readonly Value[]) {
    this.values = values
  }

  text(index: number): string {
    const value = this.values[index]
    return typeof value === 'string' ? value : ''
  }

  whole(index: number): bigint {
    const value = this.values[index]
    return typeof value === 'bigint' ? value : 0n
  }

  list(index: number): readonly Value[] {
    const value = this.values[index]
    return value instanceof List ? value.items : []
  }

  texts(index: number): readonly string[] {
    return this.list(index).map((item) => (typeof item === 'string' ? item : ''))
  }

  time(index: number): Time {
    const value = this.values[index]
    return value instanceof Time ? value : new Time(0n)
  }

  location(index: number): Location | undefined {
    const value = this.values[index]
    return value instanceof Location ? value : undefined
  }

  duration(index: number): bigint {
    const value = this.values[index]
    return value instanceof Duration ? value.ns : 0n
  }
}

/** Whether a value may be an argument for a parameter, as Go's assignability has it. */
export function fits(value: Value, parameter: Parameter): boolean {
  switch (parameter) {
    case 'interface {}':
      return true
    case 'string':
      return typeof value === 'string'
    case 'int':
      return typeof value === 'bigint'
    case '[]string':
    case '[]interface {}':
      return value instanceof List && value.type === parameter
    case 'time.Time':
      return value instanceof Time
    case 'time.Duration':
      return value instanceof Duration
    case '*time.Location':
      return value instanceof Location
  }
}

export const int64 = (value: bigint): Whole => new Whole(value, 'int64')
