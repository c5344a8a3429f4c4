import { z } from 'zod'
import { valueTypeOf } from './record.ts'

/** The keys that a schema knows at a path within it; none where any key may stand, or nothing is. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  const [key, ...rest] = path
  if (schema instanceof z.ZodObject) {
    return key === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[String(key)], rest)
  }
  if (schema instanceof z.ZodArray) return key === undefined ? [] : keysAt(schema.element, rest)
  if (schema instanceof z.ZodRecord) return key === undefined ? [] : keysAt(schema.valueType, rest)
  const valueType = schema instanceof z.ZodPipe ? valueTypeOf(schema) : undefined
  if (valueType) return key === undefined ? [] : keysAt(valueType, rest)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return keysAt(schema.unwrap(), path)
  if (schema instanceof z.ZodLazy) return keysAt(schema.unwrap(), path)
  if (schema instanceof z.ZodPipe) return keysAt(schema.in instanceof z.ZodTransform ? schema.out : schema.in, path)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path))
  return []
}
