import { type DestinationStream, type Logger, pino } from 'pino'
import { current } from './context.ts'
import { toHuman } from './human.ts'

export type Log = Logger

export const levels = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof levels)[number]

/**
 * One JSON object a line: timestamp (ISO 8601, UTC), service, level, message, then fields. An error
 * given as `err` becomes error_type and error_message and nothing else, since those of HTTP libraries
 * carry URLs and headers. What belongs to a request or a trace bears its id.
 */
export function openLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: { service: 'tocsin' },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: idsOf,
    hooks: {
      logMethod(this: Logger, args: unknown[], method: (this: Logger, ...rest: unknown[]) => void) {
        method.apply(this, args.map(flattenError))
      },
    },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** Where lines go to be read by people: a terminal. */
export function humanLines(write: (text: string) => void, colours: boolean): DestinationStream {
  return { write: (line) => write(toHuman(line, colours)) }
}

function idsOf(): object {
  const context = current()
  if (!context) return {}
  const { requestId, traceId } = context
  return { ...(requestId !== undefined && { request_id: requestId }), trace_id: traceId }
}

function flattenError(arg: unknown): unknown {
  if (typeof arg !== 'object' || arg === null || !('err' in arg)) return arg
  const { err, ...fields } = arg
  return {
    ...fields,
    error_type: err instanceof Error ? err.name : typeof err,
    error_message: err instanceof Error ? err.message : String(err),
  }
}
