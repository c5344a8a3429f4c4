import { z } from 'zod'
import { type Limits, defaultLimits, limitKeys } from '../model/limits.ts'
import { integer, maybe, number } from '../model/settings.ts'

const count = integer.refine((given) => given > 0, 'must be at least 1')
const share = number.refine((given) => given > 0 && given <= 1, 'must be a share of maxmemory, above 0 and at most 1')

const names = Object.keys(defaultLimits) as (keyof Limits)[]

/** The `limits:` of a routing file; what it leaves out keeps its default. */
export const limits = z
  .strictObject(
    Object.fromEntries(names.map((name) => [limitKeys[name], maybe(name === 'redisMemory' ? share : count)])),
  )
  .transform((given): Limits => {
    const whole = { ...defaultLimits }
    for (const name of names) whole[name] = given[limitKeys[name]] ?? whole[name]
    return whole
  })
