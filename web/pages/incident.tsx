import { type FormEvent, useState } from 'react'
import type { Incident, TimelineEntry } from '../../src/incident/incident.ts'
import type { ShownAlert } from '../../src/view/now.ts'
import { line, whole } from '../components/keys.tsx'
import { AlertActions, Quiet } from '../components/alert.tsx'
import { AlertLinks, Annotations, Labels, Severity } from '../components/labels.tsx'
import { channelName } from '../components/message.tsx'
import { silenceLabels } from '../components/silence-dialog.tsx'
import { Empty, Failed, Loading, Read } from '../components/states.tsx'
import { Age, When } from '../components/time.tsx'
import { attempt, copyLink } from '../components/toasts.tsx'
import { OURS, send } from '../data/api.ts'
import { by, useChanges } from '../data/incidents.ts'
import { changedHere, useResource } from '../data/resource.ts'
import { useSession } from '../data/session.ts'
import { type Shown, Turn, describeTurn, waitOf } from './notifications.tsx'

type IncidentAlert = ShownAlert & { isFiring: boolean }

/** One incident: what happened, in its order, and what it is about. */
export function IncidentPage({ id }: { id: string }) {
  const incident = useResource<Incident>(`${OURS}/incidents/${encodeURIComponent(id)}`, 'incident', 'delivery')
  return <Read of={incident}>{(data) => <Whole incident={data} />}</Read>
}

function Whole({ incident }: { incident: Incident }) {
  const { id, title, description, severity, team, state, acknowledgedBy, createdAt, resolvedAt, receiver, priority } =
    incident
  const { acknowledge, resolve } = useChanges(incident)
  const alerts = useResource<IncidentAlert[]>(
    `${OURS}/incidents/${encodeURIComponent(id)}/alerts`,
    'incident',
    'delivery',
  )
  return (
    <article className="incident-page">
      <header className="page-head" {...whole({ a: acknowledge })}>
        <div className="badges">
          <Severity name={severity} />
          <span className={`badge state-${state}`}>{state}</span>
          {priority === 'high' && <span className="badge">high priority</span>}
        </div>
        <h1>{title}</h1>
        {description && <p>{description}</p>}
        <p className="soft">
          Team {team}, receiver {receiver}. Opened <When at={createdAt} />, <Age at={createdAt} /> ago
          {acknowledgedBy && <>; {acknowledgedBy} has it</>}
          {resolvedAt && (
            <>
              ; resolved <When at={resolvedAt} />
            </>
          )}
          .
        </p>
        <div className="actions">
          {acknowledge && (
            <button type="button" className="main" onClick={acknowledge}>
              Acknowledge
            </button>
          )}
          {resolve && (
            <button type="button" onClick={resolve}>
              Resolve
            </button>
          )}
          <button type="button" onClick={() => void copyLink(location.href)}>
            Copy link
          </button>
          <AlertLinks of={alerts.data ?? []} most={4} />
        </div>
      </header>
      <div className="two-columns">
        <Timeline incident={incident} groups={new Set(alerts.data?.flatMap((alert) => alert.groups))} />
        <section aria-labelledby="incident-alerts">
          <h2 id="incident-alerts">Alerts</h2>
          <Read of={alerts}>
            {(all) =>
              all.length === 0 ? (
                <Empty title="Its alerts have resolved and are not kept any more." />
              ) : (
                <ul className="cards">
                  {all.map((alert) => (
                    <AlertCard key={alert.fingerprint} alert={alert} />
                  ))}
                </ul>
              )
            }
          </Read>
        </section>
      </div>
    </article>
  )
}

function AlertCard({ alert }: { alert: IncidentAlert }) {
  const { mayRespond } = useSession()
  const { labels, annotations, fingerprint, isFiring, startsAt } = alert
  const silence = mayRespond && isFiring ? () => silenceLabels(labels) : undefined
  return (
    <li className="card" aria-label={`Alert: ${labels['alertname'] ?? fingerprint}`} {...line({ s: silence })}>
      <div className="alert-head">
        <span className={`badge ${isFiring ? 'state-open' : 'state-resolved'}`}>
          {isFiring ? 'firing' : 'resolved'}
        </span>
        <strong>{labels['alertname']}</strong>
        <Quiet alert={alert} />
        <span className="alert-side">
          <Age at={startsAt} />
        </span>
      </div>
      <Labels labels={labels} />
      <Annotations annotations={annotations} />
      <AlertActions alert={alert} silence={silence} />
    </li>
  )
}

/** Something on the timeline: what was done, or a turn of a delivery. */
type Happened = { at: string } & ({ entry: TimelineEntry } | { turn: Shown })

function Timeline({ incident, groups }: { incident: Incident; groups: ReadonlySet<string> }) {
  const { id, groupKey, receiver, createdAt, timeline } = incident
  const { mayRespond } = useSession()
  const query = new URLSearchParams({ group: groupKey })
  const turns = useResource<{ deliveries: Shown[] }>(`${OURS}/deliveries?${query}`, 'delivery')
  const [text, setText] = useState('')

  const attempts = (turns.data?.deliveries ?? []).filter((turn) => turn.at >= createdAt)
  // what was delivered stands in the log of deliveries with more to it, as far back as that goes
  const isLogged = ({ event, at, channel }: TimelineEntry) =>
    event === 'notified' &&
    attempts.some(
      (turn) =>
        turn.how === 'told' && turn.channel === channel && Math.abs(Date.parse(turn.at) - Date.parse(at)) < 1000,
    )
  const all: Happened[] = [
    ...timeline.filter((entry) => !isLogged(entry)).map((entry) => ({ at: entry.at, entry })),
    ...attempts.map((turn) => ({ at: turn.at, turn })),
  ].sort((a, b) => (a.at < b.at ? 1 : -1))

  async function addNote(event: FormEvent): Promise<void> {
    event.preventDefault()
    const path = `${OURS}/incidents/${encodeURIComponent(id)}/notes`
    if (await attempt(send('POST', path, { ...by(), text }), 'Note added')) setText('')
    changedHere('incident')
  }

  return (
    <section aria-labelledby="timeline-title">
      <h2 id="timeline-title">Timeline</h2>
      {mayRespond && (
        <form className="note-form" onSubmit={(event) => void addNote(event)}>
          <input
            type="text"
            aria-label="A note for the timeline"
            placeholder="Add a note"
            required
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit">Add</button>
        </form>
      )}
      {turns.error && <Failed error={turns.error} again={turns.again} />}
      <Waiting receiver={receiver} groups={groups} />
      {turns.readAt === 0 ? (
        <Loading />
      ) : (
        <ol className="timeline">
          {all.map((one) => (
            <li
              key={'turn' in one ? one.turn.id : `${one.at} ${one.entry.event} ${one.entry.channel}`}
              className={moodOf(one)}
            >
              <When at={one.at} />
              {'turn' in one ? (
                <details>
                  <summary className={`turn-${one.turn.how}`}>
                    {describeTurn(one.turn)}
                    {waitOf(one.turn) && <span className="soft"> {waitOf(one.turn)}</span>}
                  </summary>
                  <Turn turn={one.turn} />
                </details>
              ) : (
                <div className={`event-${one.entry.event}`}>
                  <strong>{words(one.entry)}</strong>
                  {one.entry.detail && (
                    <p className={one.entry.event === 'noted' ? 'note' : 'soft'}>{one.entry.detail}</p>
                  )}
                </div>
              )}
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

/** How what happened is marked. */
function moodOf(one: Happened): string {
  if ('turn' in one) return one.turn.how === 'dead' ? 'is-bad' : one.turn.how === 'retry' ? 'is-late' : ''
  const { event } = one.entry
  if (event === 'opened' || event === 'reopened') return 'is-bad'
  return event === 'acknowledged' ? 'is-taken' : event === 'resolved' ? 'is-good' : ''
}

interface Owed {
  id: string
  group: string
  integration: string
  channel: string
  wait?: string
  state: string
}

/** What the incident's receiver is owed about it, and waits. */
function Waiting({ receiver, groups }: { receiver: string; groups: ReadonlySet<string> }) {
  const { data } = useResource<Owed[]>(`${OURS}/notifications`, 'delivery', 'incident')
  const waiting = (data ?? []).filter(
    ({ integration, group }) => groups.has(group) && integration.startsWith(`${receiver}/`),
  )
  if (waiting.length === 0) return null
  return (
    <ul className="waiting">
      {waiting.map(({ id, integration, wait, state }) => (
        <li key={id}>
          <strong>{integration}</strong> {wait ?? state}
        </li>
      ))}
    </ul>
  )
}

function words({ event, by: who, channel, to }: TimelineEntry): string {
  const person = who && who !== 'tocsin' ? ` by ${who}` : ''
  if (event === 'noted') return `Note${person}`
  if (event === 'notified') return `Told by ${channelName(channel ?? '')}${to ? `, ${to}` : ''}`
  return `${event[0]?.toUpperCase()}${event.slice(1)}${person}`
}
