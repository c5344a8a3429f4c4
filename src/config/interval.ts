import { z } from 'zod'
import { maybe, string } from '../model/settings.ts'
import {
  type Interval,
  IntervalError,
  type Range,
  parseDays,
  parseMonths,
  parseTimes,
  parseWeekdays,
  parseYears,
} from '../suppress/interval.ts'
import { isZone } from '../suppress/zone.ts'

function guarded(context: z.core.$RefinementCtx, parse: () => Range): Range {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof IntervalError)) throw error
    context.addIssue({ code: 'custom', message: error.message, input: undefined })
    return z.NEVER
  }
}

/** What Alertmanager makes of a range with nothing behind its dash: for weekdays that is Sunday, else nothing at all. */
const nothing: Range = [0, 0]

const ranges = (parse: (given: string) => Range) =>
  maybe(
    z.array(
      string
        .nullable()
        .transform((given, context) => (given === null ? nothing : guarded(context, () => parse(given)))),
    ),
  )

const time = z
  .strictObject({ start_time: string, end_time: string })
  .transform(({ start_time, end_time }, context) => guarded(context, () => parseTimes(start_time, end_time)))

/** An element of a time interval's list. */
export const interval = z
  .strictObject({
    times: maybe(z.array(time)),
    weekdays: ranges(parseWeekdays),
    days_of_month: ranges(parseDays),
    months: ranges(parseMonths),
    years: ranges(parseYears),
    location: maybe(string.refine(isZone, 'is not a time zone; write it as Europe/Paris, UTC or Local')),
  })
  .transform(({ days_of_month, ...rest }): Interval => ({ ...rest, daysOfMonth: days_of_month }))
