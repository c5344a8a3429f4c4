import { z } from 'zod'
import { Plain } from './plain.ts'
import { read } from './reading.ts'

const valueTypes = new WeakMap<object, z.ZodType>()

/** A map whose keys are the user's own. zod's record drops `__proto__`, which may be a label's name; this is without a prototype. */
export function record<V extends z.ZodType>(value: V) {
  const schema = z.unknown().transform((given, context): Readonly<Record<string, z.output<V>>> => {
    if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof Plain) {
      context.issues.push({ code: 'invalid_type', expected: 'record', input: given })
      return z.NEVER
    }
    const whole: Record<string, z.output<V>> = Object.create(null)
    for (const [key, part] of Object.entries(given)) {
      const parsed = read(value, part)
      if (parsed.success) whole[key] = parsed.data
      for (const issue of parsed.error?.issues ?? []) {
        const path = [key, ...issue.path]
        // the input says what stands there instead: it is only asked for where the kind is wrong
        if (issue.code === 'invalid_type') context.issues.push({ ...issue, input: issue.input, path })
        else context.issues.push({ ...issue, input: undefined, path })
      }
    }
    return whole
  })
  valueTypes.set(schema, value)
  return schema
}

/** The schema of a record's values; undefined where a schema is none. */
export function valueTypeOf(schema: object): z.ZodType | undefined {
  return valueTypes.get(schema)
}
