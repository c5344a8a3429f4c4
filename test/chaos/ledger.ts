import { appendFileSync, readFileSync } from 'node:fs'

/** What a sender posted, and what came of it. */
export interface Sent {
  at: number // epoch ms, as all instants here
  doneAt: number
  result: 'acked' | 'refused' | 'unknown' // 2xx, another answer, none
  status: number // 0: no answer
  alerts: SentAlert[]
}

export interface SentAlert {
  id: string // unique: an alert lives once
  group: string // its alertname, unique too
  team: string
  severity: string
  state: 'firing' | 'resolved'
}

export type Kind = 'webhook' | 'slack' | 'pagerduty' | 'sms' | 'email'

/** A request as a fake channel read it, written down before it is answered. */
export interface Request {
  n: number // the order in which this channel's were read
  at: number
  kind: Kind
  to: string // the address that tells teams apart: a path, a routing key, a number, a mailbox
  credential: string // what else was shown: a login, a token
  headers: Record<string, string>
  body: string
}

/** How it was answered; without such a line it was not. */
export interface Answered {
  n: number
  kind: Kind
  answered: string // 'ok' or what went wrong
  at: number
}

/** A file of JSON lines, each on disk before the call returns: a kill loses no evidence. */
export function append(file: string, line: Sent | Request | Answered): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`)
}

/** The lines of a ledger; the last may be torn by a kill of who wrote it. None where there is no file yet. */
export function readLedger<T>(file: string): T[] {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  const lines = text.split('\n')
  lines.pop() // empty, or torn
  return lines.map((line) => JSON.parse(line) as T)
}
