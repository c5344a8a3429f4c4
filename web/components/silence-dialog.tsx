import { type FormEvent, useMemo, useState } from 'react'
import { formatMatcher, matchesAll } from '../../src/match/matcher.ts'
import { matcher } from '../../src/match/matcher.ts'
import { alerts } from '../data/alerts.ts'
import { send } from '../data/api.ts'
import { openValue } from '../data/value.ts'
import { ownName, rememberName } from '../data/own-name.ts'
import { useSession } from '../data/session.ts'
import { changedHere } from '../data/resource.ts'
import { Dialog } from './dialog.tsx'
import { FilterInput, readMatchers, vocabularyOf } from './filter-input.tsx'
import { attempt } from './toasts.tsx'

/** A silence as API v2 has it. */
export interface Silence {
  id: string
  status: { state: 'active' | 'pending' | 'expired' }
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[]
  startsAt: string
  endsAt: string
  updatedAt: string
  createdBy: string
  comment: string
}

interface Draft {
  id?: string
  matchers: string
  startsAt?: string
  endsAt?: string
  comment: string
  createdBy?: string
}

const draft = openValue<Draft | undefined>(undefined)

/** Asks for a silence of these labels. */
export function silenceLabels(labels: Readonly<Record<string, string>>): void {
  const matchers = Object.entries(labels).map(([name, value]) =>
    matcher(name, value, { isRegex: false, isEqual: true }),
  )
  draft.set({ matchers: matchers.map(formatMatcher).join(', '), comment: '' })
}

/** Asks for a new silence of what a filter says. */
export function newSilence(matchers = ''): void {
  draft.set({ matchers, comment: '' })
}

export function editSilence({ id, matchers, startsAt, endsAt, comment, createdBy }: Silence): void {
  draft.set({ id, matchers: textOf(matchers), startsAt, endsAt, comment, createdBy })
}

export function textOf(matchers: Silence['matchers']): string {
  return matchers.map(({ name, value, ...how }) => formatMatcher(matcher(name, value, how))).join(', ')
}

const durations = [
  ['30 min', 30],
  ['1 h', 60],
  ['4 h', 240],
  ['12 h', 720],
  ['1 day', 1440],
  ['1 week', 10_080],
] as const

export function SilenceDialog() {
  const asked = draft.use()
  return asked && <Form key={`${asked.id} ${asked.matchers}`} asked={asked} />
}

function Form({ asked }: { asked: Draft }) {
  const { name } = useSession()
  const { byFingerprint } = alerts.use()
  const [text, setText] = useState(asked.matchers)
  const [end, setEnd] = useState(() => toLocal(asked.endsAt ? new Date(asked.endsAt) : inMinutes(60)))
  const [comment, setComment] = useState(asked.comment)
  const [by, setBy] = useState(() => ownName() || (asked.createdBy ?? ''))
  const [isSending, setIsSending] = useState(false)
  const vocabulary = useMemo(
    () => vocabularyOf([...byFingerprint.values()].map(({ labels }) => labels)),
    [byFingerprint],
  )
  const reading = useMemo(() => readMatchers(text), [text])
  const matchers = 'matchers' in reading ? reading.matchers : []
  const hidden = useMemo(
    () =>
      matchers.length === 0
        ? []
        : [...byFingerprint.values()].filter(({ labels }) => matchesAll(matchers, new Map(Object.entries(labels)))),
    [matchers, byFingerprint],
  )
  const close = () => draft.set(undefined)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (matchers.length === 0) return
    setIsSending(true)
    if (name === '') rememberName(by)
    const body = {
      ...(asked.id !== undefined && { id: asked.id }),
      matchers: matchers.map(({ name: label, value, isRegex, isEqual }) => ({ name: label, value, isRegex, isEqual })),
      startsAt: asked.startsAt ?? new Date().toISOString(),
      endsAt: new Date(end).toISOString(),
      createdBy: name || by,
      comment,
    }
    const isDone = await attempt(
      send('POST', 'api/v2/silences', body),
      `Silenced until ${new Date(end).toLocaleString()}`,
    )
    setIsSending(false)
    if (!isDone) return
    changedHere('silences')
    close()
  }

  return (
    <Dialog title={asked.id === undefined ? 'New silence' : 'Edit silence'} onClose={close}>
      <form onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>What it hides</span>
          <FilterInput
            value={text}
            onChange={setText}
            vocabulary={vocabulary}
            label="Matchers of the silence"
            placeholder='alertname="DiskFull", instance=~"db-.*"'
          />
        </label>
        <p className="preview" role="status">
          {'error' in reading ? (
            reading.error
          ) : matchers.length === 0 ? (
            'Without a matcher it would hide everything: write at least one.'
          ) : (
            <>
              Hides <strong>{hidden.length.toLocaleString()}</strong> {hidden.length === 1 ? 'alert' : 'alerts'} now
              {hidden.length > 0 && `: ${namesOf(hidden)}`}
            </>
          )}
        </p>
        <fieldset className="field">
          <legend>Until</legend>
          <div className="choices">
            {durations.map(([words, minutes]) => (
              <button key={words} type="button" onClick={() => setEnd(toLocal(inMinutes(minutes)))}>
                {words}
              </button>
            ))}
          </div>
          <input
            type="datetime-local"
            aria-label="Until, in your time"
            required
            value={end}
            onChange={(event) => setEnd(event.target.value)}
          />
        </fieldset>
        <label className="field">
          <span>Why</span>
          <input type="text" required value={comment} onChange={(event) => setComment(event.target.value)} />
        </label>
        {name === '' && (
          <label className="field">
            <span>Your name</span>
            <input type="text" required value={by} onChange={(event) => setBy(event.target.value)} />
          </label>
        )}
        <div className="actions">
          <button type="submit" className="main" disabled={isSending || matchers.length === 0}>
            {asked.id === undefined ? 'Silence' : 'Save'}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function namesOf(hidden: readonly { labels: Readonly<Record<string, string>> }[]): string {
  const names = [...new Set(hidden.map(({ labels }) => labels['alertname'] ?? 'without a name'))]
  return names.length > 4 ? `${names.slice(0, 4).join(', ')} and others` : names.join(', ')
}

function inMinutes(minutes: number): Date {
  return new Date(Date.now() + minutes * 60_000)
}

/** As a field of local time has it. */
function toLocal(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
