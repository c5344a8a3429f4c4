import { z } from 'zod'
import { Plain } from './plain.ts'

/** Settings of a file by their schema. What is wrong comes with its input: a message can say what stands there instead. */
export function read<S extends z.ZodType>(schema: S, value: unknown): z.ZodSafeParseResult<z.output<S>> {
  return schema.safeParse(withBareScalars(schema, value), { reportInput: true })
}

/** The same with a scalar that stands in a map's place as a bare number or boolean: to zod any object is a map. */
function withBareScalars(schema: unknown, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodLazy)
    return withBareScalars(schema.unwrap(), value)
  if (schema instanceof z.ZodPipe)
    return withBareScalars(schema.in instanceof z.ZodTransform ? schema.out : schema.in, value)
  if (schema instanceof z.ZodObject) {
    if (value instanceof Plain) return value.value
    const parts = Object.entries(value).map(([key, part]) => [key, part, withBareScalars(schema.shape[key], part)])
    // from entries: an own `__proto__` stays one
    return parts.some(([, part, bare]) => part !== bare)
      ? Object.fromEntries(parts.map(([key, , bare]) => [key, bare]))
      : value
  }
  if (value instanceof Plain) return value
  if (schema instanceof z.ZodUnion)
    return schema.options.reduce<unknown>((whole, option) => withBareScalars(option, whole), value)
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    const bare = value.map((item) => withBareScalars(schema.element, item))
    return bare.some((item, i) => item !== value[i]) ? bare : value
  }
  return value
}
