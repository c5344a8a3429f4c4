import { useState } from 'react'
import type { Kept } from '../../src/pipeline/kept-messages.ts'
import type { DeadLetter } from '../../src/store/dead-letters.ts'
import type { Delivery } from '../../src/store/deliveries.ts'
import { line } from '../components/keys.tsx'
import { Message, channelName } from '../components/message.tsx'
import { Growing } from '../components/more.tsx'
import { Empty, Loading, Read } from '../components/states.tsx'
import { Age, When, lasting } from '../components/time.tsx'
import { attempt } from '../components/toasts.tsx'
import { OURS, get, send } from '../data/api.ts'
import { note, usePlace } from '../data/place.ts'
import { changedHere, useResource } from '../data/resource.ts'
import { useSession } from '../data/session.ts'

/** A turn of a delivery, with its receiver. */
export type Shown = Delivery & { receiver: string }
type Letter = Omit<DeadLetter, 'at'> & { at: string; cure: string }

interface Owed {
  id: string
  integration: string
  channel: string
  reason: string
  owedAt: string
  state: string
  attempt: number
  said: string
  wait?: string
}

const views = [
  ['history', 'History'],
  ['waiting', 'Waiting'],
  ['dead', 'Dead letters'],
] as const

/** What was told, what is still to be told, and what was given up. */
export function Notifications() {
  const place = usePlace()
  const view = place.params.get('view') ?? 'history'
  const owed = useResource<Owed[]>(`${OURS}/notifications`, 'delivery', 'incident')
  const letters = useResource<Letter[]>(`${OURS}/deadletters`, 'delivery')
  const counts: Record<string, number | undefined> = { waiting: owed.data?.length, dead: letters.data?.length }
  return (
    <>
      <div className="section-head">
        <h1>Notifications</h1>
      </div>
      <div className="tabs" role="tablist" aria-label="Which notifications">
        {views.map(([name, words]) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={view === name}
            onClick={() => note(place, 'view', name === 'history' ? '' : name)}
          >
            {words} {counts[name] !== undefined && <span className="count">{counts[name]}</span>}
          </button>
        ))}
      </div>
      {view === 'waiting' ? <Waiting of={owed} /> : view === 'dead' ? <DeadLetters of={letters} /> : <History />}
    </>
  )
}

/** Longer on its way than this, and somebody asks why, ms. */
const WORTH_A_WORD = 10_000

const fields = ['team', 'receiver', 'channel', 'state', 'alert', 'text'] as const
const states = [
  ['told', 'delivered'],
  ['retry', 'failed, tried again'],
  ['dead', 'given up'],
  ['dropped', 'not told any more'],
] as const

interface Page {
  deliveries: Shown[]
  next: string // '' at the end
}

function History() {
  const place = usePlace()
  const value = (name: string) => place.params.get(name) ?? ''
  const asked = new URLSearchParams(fields.map((name) => [name, value(name)]).filter(([, given]) => given !== ''))
  const first = useResource<Page>(`${OURS}/deliveries?${asked}`, 'delivery')
  const [older, setOlder] = useState<{ of: string; pages: Page[] }>({ of: '', pages: [] })
  const pages = older.of === asked.toString() ? older.pages : []
  const next = (pages.at(-1) ?? first.data)?.next ?? ''

  async function more(): Promise<void> {
    const page = await get<Page>(`${OURS}/deliveries?${new URLSearchParams([...asked, ['before', next]])}`)
    setOlder({ of: asked.toString(), pages: [...pages, page] })
  }

  return (
    <>
      <form className="filter-bar" role="search" onSubmit={(event) => event.preventDefault()}>
        <input
          data-main-filter=""
          type="search"
          aria-label="Search what was told and answered"
          placeholder="Search what was told and answered"
          value={value('text')}
          onChange={(event) => note(place, 'text', event.target.value)}
        />
        <select
          aria-label="Channel"
          value={value('channel')}
          onChange={(event) => note(place, 'channel', event.target.value)}
        >
          <option value="">every channel</option>
          {['slack', 'pagerduty', 'email', 'sms', 'webhook'].map((name) => (
            <option key={name} value={name}>
              {channelName(name)}
            </option>
          ))}
        </select>
        <select
          aria-label="State"
          value={value('state')}
          onChange={(event) => note(place, 'state', event.target.value)}
        >
          <option value="">every state</option>
          {states.map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
        {(['team', 'receiver', 'alert'] as const).map((name) => (
          <input
            key={name}
            type="text"
            className="short"
            aria-label={name === 'alert' ? 'Alert, by its fingerprint' : `By ${name}`}
            placeholder={name === 'alert' ? 'fingerprint' : name}
            value={value(name)}
            onChange={(event) => note(place, name, event.target.value.trim())}
          />
        ))}
      </form>
      <Read of={first}>
        {({ deliveries }) => {
          const all = intoNotifications([...deliveries, ...pages.flatMap((page) => page.deliveries)])
          if (all.length === 0)
            return <Empty title={asked.size > 0 ? 'Nothing fits the search.' : 'Nothing was told yet.'} />
          return (
            <ul className="lines">
              <Growing items={all} step={60}>
                {(turns) => <NotificationLine key={turns[0]?.id} turns={turns} />}
              </Growing>
              {next !== '' && (
                <li className="more">
                  <button type="button" onClick={() => void more()}>
                    Older ones
                  </button>
                </li>
              )}
            </ul>
          )
        }}
      </Read>
    </>
  )
}

/** Turns by what they were about, each the newest first. */
function intoNotifications(turns: readonly Shown[]): Shown[][] {
  const found = new Map<string, Shown[]>()
  for (const turn of turns) {
    const key = `${turn.notification} ${turn.integration}`
    const known = found.get(key)
    if (known) known.push(turn)
    else found.set(key, [turn])
  }
  return [...found.values()]
}

function NotificationLine({ turns }: { turns: readonly Shown[] }) {
  const [isOpen, setIsOpen] = useState(false)
  const [last] = turns
  if (!last) return null
  const { message, integration, channel, receiver, reason, word, at, status, possibleRepeat } = last
  const toggle = () => setIsOpen(!isOpen)
  return (
    <li
      className={`line turn-${last.how}`}
      aria-label={`Notification: ${message?.title || integration}`}
      {...line({ Enter: toggle })}
    >
      <div className="line-main">
        <span className={`badge turn-${last.how}`}>{stateWords(last)}</span>
        <button type="button" className="title" aria-expanded={isOpen} onClick={toggle}>
          {message?.title || word || integration}
        </button>
      </div>
      <div className="line-side">
        <span>{channelName(channel)}</span>
        <span>{receiver}</span>
        {message && !namesOnly(channel, message.to) && <span>{message.to}</span>}
        {status && <span>{status}</span>}
        {possibleRepeat && <span className="badge">possible repeat</span>}
        {turns.length > 1 && <span>{attemptsOf(turns.length)}</span>}
        <Age at={at} />
      </div>
      {isOpen && (
        <div className="detail">
          <p className="soft">
            Why: {reason ?? word}. Group {last.groupKey ?? 'gone'}.
          </p>
          {message && (
            <div className="exact">
              <Exact turn={last} />
            </div>
          )}
          <h3>Attempts</h3>
          <ol className="attempts">
            {turns.map((turn) => (
              <li key={turn.id}>
                <Turn turn={turn} withMessage={false} />
              </li>
            ))}
          </ol>
        </div>
      )}
    </li>
  )
}

export function attemptsOf(count: number): string {
  return count === 1 ? 'one attempt' : `${count} attempts`
}

function stateWords({ how }: Pick<Shown, 'how'>): string {
  return states.find(([name]) => name === how)?.[1] ?? 'given back'
}

/** Whether an address says no more than the channel does. */
function namesOnly(channel: string, to: string): boolean {
  return to === '' || to === channelName(channel)
}

/** A turn in a sentence. */
export function describeTurn({ how, channel, integration, message, outcome, attempt: number, word }: Shown): string {
  const where = !message
    ? integration
    : namesOnly(channel, message.to)
      ? channelName(channel)
      : `${channelName(channel)}, ${message.to}`
  if (how === 'told') return `Told by ${where}`
  if (how === 'retry' && !outcome) return `Put off by ${where}`
  if (how === 'retry') return `Attempt ${number} by ${where} failed: ${outcome?.detail ?? ''}`
  if (how === 'dead') return `Given up by ${where}: ${word ?? outcome?.detail ?? ''}`
  if (how === 'dropped') return `Not told by ${where}: ${(word ?? '').replace('dropped: ', '')}`
  return `Given back by ${where}`
}

const waitWords: Readonly<Record<NonNullable<Delivery['waitedFor']>, string>> = {
  budget: 'for the budget of where it goes',
  asked: 'as the channel had asked',
  breaker: 'for a channel that failed',
  flight: 'for what was in the air before it',
}

/** What it waited for before it left, and since when; '' where it left at once. */
export function waitOf({ at, owedAt, waitedFor, attempt: number }: Shown): string {
  const ms = owedAt === undefined ? 0 : Date.parse(at) - Date.parse(owedAt)
  if (waitedFor) return `waited ${waitWords[waitedFor]}, ${lasting(ms)} since it was owed`
  return number <= 1 && ms > WORTH_A_WORD ? `${lasting(ms)} since it was owed` : ''
}

/** One attempt: when, what the vendor answered, what was told. */
export function Turn({ turn, withMessage = true }: { turn: Shown; withMessage?: boolean }) {
  const { at, attempt: number, outcome, how, digestOf, message } = turn
  const waited = waitOf(turn)
  return (
    <div className="turn">
      <p>
        <When at={at} /> · attempt {number} · {stateWords({ how })}
        {digestOf !== undefined && ` · in a digest of ${digestOf}`}
        {waited && ` · ${waited}`}
      </p>
      {outcome && (
        <p className="answer">
          <b>Answer:</b> {outcome.state}
          {outcome.reason && `, ${outcome.reason}`}
          {outcome.detail && `: ${outcome.detail}`}
          {outcome.id && ` (id ${outcome.id})`}
          {outcome.retryAfter !== undefined && `; asked to wait ${lasting(outcome.retryAfter)}`}
        </p>
      )}
      {withMessage && message && <pre tabIndex={0}>{`${message.title}\n\n${message.text}`.trim()}</pre>}
    </div>
  )
}

/** What was told, word for word; where that is not kept any more, how it began. */
function Exact({ turn }: { turn: Shown }) {
  const { notification, toldAs = notification, integration, channel, message } = turn
  const query = new URLSearchParams({ notification: toldAs, integration })
  const whole = useResource<Kept>(`${OURS}/message?${query}`)
  if (whole.data)
    return <Message channel={channel} payload={whole.data.payload} html={`${OURS}/message/html?${query}`} />
  if (!whole.error) return <Loading />
  return (
    <>
      {message && <pre tabIndex={0}>{`${message.title}\n\n${message.text}`.trim()}</pre>}
      <p className="soft">{whole.error.status === 404 ? 'Only its text is kept by now.' : whole.error.message}</p>
    </>
  )
}

function Waiting({ of }: { of: Parameters<typeof Read<Owed[]>>[0]['of'] }) {
  return (
    <Read of={of}>
      {(all) =>
        all.length === 0 ? (
          <Empty title="Nothing waits: all that was owed has been told." />
        ) : (
          <ul className="lines">
            <Growing items={all} step={60}>
              {({ id, integration, channel, reason, owedAt, state, attempt: number, wait }) => (
                <li key={id} className="line" aria-label={`Owed to ${integration}`} {...line({})}>
                  <div className="line-main">
                    <span className="badge severity-warning">{state}</span>
                    <strong>{integration}</strong>
                  </div>
                  <div className="line-side">
                    <span>{channelName(channel)}</span>
                    <span>{reason}</span>
                    <span>{attemptsOf(number)}</span>
                    <Age at={owedAt} />
                  </div>
                  {wait && <p className="detail">{wait}</p>}
                </li>
              )}
            </Growing>
          </ul>
        )
      }
    </Read>
  )
}

function DeadLetters({ of }: { of: Parameters<typeof Read<Letter[]>>[0]['of'] }) {
  const { isAdmin } = useSession()
  const retryAll = async () => {
    await attempt(send('POST', `${OURS}/deadletters/retry`, {}), 'All are sent again')
    changedHere('delivery')
  }
  return (
    <Read of={of}>
      {(all) =>
        all.length === 0 ? (
          <Empty title="No dead letters: nothing was given up." />
        ) : (
          <>
            {isAdmin && (
              <div className="filter-bar">
                <button type="button" onClick={() => void retryAll()}>
                  Send all {all.length} again
                </button>
              </div>
            )}
            <ul className="lines">
              <Growing items={all} step={60}>
                {(letter) => <LetterLine key={letter.id} letter={letter} />}
              </Growing>
            </ul>
          </>
        )
      }
    </Read>
  )
}

function LetterLine({ letter }: { letter: Letter }) {
  const { id, title, integration, channel, reason, detail, cure, at, attempts, team, fallback } = letter
  const { isAdmin } = useSession()
  const retry = async () => {
    await attempt(send('POST', `${OURS}/deadletters/${encodeURIComponent(id)}/retry`, {}), 'It is sent again')
    changedHere('delivery')
  }
  return (
    <li
      className="line turn-dead"
      aria-label={`Dead letter: ${title || integration}`}
      {...line({ Enter: isAdmin ? () => void retry() : undefined })}
    >
      <div className="line-main">
        <span className="badge turn-dead">{reason}</span>
        <strong>{title || integration}</strong>
      </div>
      <div className="line-side">
        <span>{channelName(channel)}</span>
        <span>{integration}</span>
        {team && <span>{team}</span>}
        <span>{attemptsOf(attempts)}</span>
        <Age at={at} />
        {isAdmin && (
          <span className="line-actions">
            <button type="button" onClick={() => void retry()}>
              Send again
            </button>
          </span>
        )}
      </div>
      <div className="detail">
        <p>{detail}</p>
        <p>
          <b>What to do:</b> {cure}
        </p>
        {fallback && <p className="soft">{fallback} was told in its place.</p>}
      </div>
    </li>
  )
}
