import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/**
 * One JSON object a line: timestamp (ISO 8601, UTC), service, level, message, then fields. An error
 * given as `err` becomes error_type and error_message and nothing else, since those of HTTP libraries
 * carry URLs and headers.
 */
export function openLog(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: { service: 'tocsin' },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: {
      logMethod(this: Logger, args: unknown[], method: (this: Logger, ...rest: unknown[]) => void) {
        method.apply(this, args.map(flattenError))
      },
    },
  }
  return destination ? pino(options, destination) : pino(options)
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
