import type { AlertmanagerAnswer } from '../alert/normalise.ts'

/** The answer to JSON of another kind than expected, in the words of Go's encoding/json. */
export function unreadable(value: unknown, place: string): AlertmanagerAnswer {
  return { code: 400, message: `json: cannot unmarshal ${goKind(value)} into ${place}` }
}

function goKind(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** What go-openapi's strfmt says of a text that is no time. */
export function unparsableTime(text: string): AlertmanagerAnswer {
  const quoted = JSON.stringify(text)
  const message = `parsing time ${quoted} as "2006-01-02": cannot parse ${quoted} as "2006"`
  return { code: 400, message }
}
