import { memo, useDeferredValue, useMemo, useState } from 'react'
import type { Incident } from '../../src/incident/incident.ts'
import { matchesAll } from '../../src/match/matcher.ts'
import type { ShownAlert, ShownGroup } from '../../src/view/now.ts'
import { FilterInput, readMatchers, vocabularyOf } from '../components/filter-input.tsx'
import { line } from '../components/keys.tsx'
import { AlertActions, Quiet } from '../components/alert.tsx'
import { Annotations, Labels, Severity, gravity } from '../components/labels.tsx'
import { Growing } from '../components/more.tsx'
import { newSilence, silenceLabels } from '../components/silence-dialog.tsx'
import { Empty, Failed, Loading } from '../components/states.tsx'
import { Age } from '../components/time.tsx'
import { copyLink } from '../components/toasts.tsx'
import { alerts, readAlerts } from '../data/alerts.ts'
import { useChanges, useIncidents } from '../data/incidents.ts'
import { linkTo, note, usePlace } from '../data/place.ts'
import { useSession } from '../data/session.ts'

/** More alerts than these are shown by group only, until a group is opened. */
const OPEN_UP_TO = 60
const GROUPS = 60
const ALERTS = 50

interface Group {
  id: string
  group: ShownGroup
  alerts: ShownAlert[]
  rank: number
  startsAt: string // of its newest alert
}

const ranks = { grave: 0, warning: 1, slight: 2 }
const rankOf = (alert: ShownAlert) => ranks[gravity(alert.labels['severity'] ?? '')]
const isQuiet = ({ silencedBy, inhibitedBy, mutedBy }: ShownAlert) =>
  silencedBy.length + inhibitedBy.length + mutedBy.length > 0

export function Now() {
  const place = usePlace()
  const filter = place.params.get('filter') ?? ''
  const showsQuiet = place.params.get('quiet') === '1'
  const receiver = place.params.get('receiver') ?? '' // as links in messages have it
  const { byFingerprint, groups, isRead, error, left } = alerts.use()
  const reading = useMemo(() => readMatchers(filter), [filter])
  const matchers = 'matchers' in reading ? reading.matchers : undefined
  const all = useMemo(() => [...byFingerprint.values()], [byFingerprint])
  const vocabulary = useMemo(() => vocabularyOf(all.map(({ labels }) => labels)), [all])
  const fitting = useMemo(() => {
    const theirs = receiver ? all.filter((one) => one.groups.some((id) => groups.get(id)?.receiver === receiver)) : all
    return matchers === undefined || matchers.length === 0
      ? theirs
      : theirs.filter(({ labels }) => matchesAll(matchers, new Map(Object.entries(labels))))
  }, [all, groups, matchers, receiver])
  const quiet = useMemo(() => fitting.filter(isQuiet).length, [fitting])
  const shown = useMemo(() => (showsQuiet ? fitting : fitting.filter((one) => !isQuiet(one))), [fitting, showsQuiet])
  const grouped = useMemo(
    () => intoGroups(shown, groups).filter(({ group }) => receiver === '' || group.receiver === receiver),
    [shown, groups, receiver],
  )
  const deferred = useDeferredValue(grouped)
  const pick = (name: string, value: string) => {
    const more = `${name}=${JSON.stringify(value)}`
    note(place, 'filter', filter.trim() === '' ? more : `${filter.trim().replace(/,$/, '')}, ${more}`)
  }

  return (
    <>
      <h1 className="hidden-text">Now</h1>
      <Incidents matchers={matchers ?? []} />
      <section aria-labelledby="alerts-title">
        <div className="section-head">
          <h2 id="alerts-title">Alerts</h2>
          <p className="count" role="status" data-testid="alert-count">
            {isRead && `${countOf(shown.length, 'alert')} in ${countOf(grouped.length, 'group')}`}
          </p>
        </div>
        <div className="filter-bar">
          <FilterInput
            isMain
            value={filter}
            onChange={(text) => note(place, 'filter', text)}
            vocabulary={vocabulary}
            label="Filter alerts"
            placeholder='Filter: severity="critical", team=~"data|quant"'
          />
          <label className="check">
            <input
              type="checkbox"
              checked={showsQuiet}
              onChange={(event) => note(place, 'quiet', event.target.checked ? '1' : '')}
            />
            Suppressed ({quiet.toLocaleString()})
          </label>
          {receiver && (
            <button type="button" aria-pressed="true" onClick={() => note(place, 'receiver', '')}>
              Only of {receiver} <span aria-hidden="true">✕</span>
            </button>
          )}
          <FilterActions filter={filter} isOne={matchers !== undefined && matchers.length > 0} />
        </div>
        {left > 0 && (
          <p className="notice">
            The first {byFingerprint.size.toLocaleString()} alerts; there are {left.toLocaleString()} more.
          </p>
        )}
        {error && <Failed error={error} again={readAlerts} isOlderShown={isRead} />}
        {!isRead ? (
          !error && <Loading />
        ) : all.length === 0 ? (
          <Empty title="Nothing fires.">
            <FirstAlert />
          </Empty>
        ) : shown.length === 0 ? (
          <Empty title={quiet > 0 ? `Nothing but ${countOf(quiet, 'suppressed alert')}.` : 'No alert fits the filter.'}>
            {quiet > 0 ? (
              <button type="button" onClick={() => note(place, 'quiet', '1')}>
                Show what is suppressed
              </button>
            ) : (
              <button type="button" onClick={() => note(place, 'filter', '')}>
                Clear the filter
              </button>
            )}
          </Empty>
        ) : (
          <ul className="groups" key={filter}>
            <Growing items={deferred} step={GROUPS}>
              {(group) => (
                <GroupOfAlerts key={group.id} group={group} opens={shown.length <= OPEN_UP_TO} onPick={pick} />
              )}
            </Growing>
          </ul>
        )}
      </section>
    </>
  )
}

function countOf(count: number, what: string): string {
  return `${count.toLocaleString()} ${what}${count === 1 ? '' : 's'}`
}

function FilterActions({ filter, isOne }: { filter: string; isOne: boolean }) {
  const { mayRespond } = useSession()
  return (
    <>
      <button type="button" onClick={() => void copyLink(location.href)}>
        Copy link
      </button>
      {mayRespond && isOne && (
        <button type="button" onClick={() => newSilence(filter)}>
          Silence these
        </button>
      )}
    </>
  )
}

/** The gravest first, then the newest. */
function intoGroups(shown: readonly ShownAlert[], groups: ReadonlyMap<string, ShownGroup>): Group[] {
  const found = new Map<string, Group>()
  for (const alert of shown) {
    for (const id of alert.groups) {
      const group = groups.get(id)
      if (!group) continue
      const known = found.get(id)
      const rank = rankOf(alert)
      if (!known) found.set(id, { id, group, alerts: [alert], rank, startsAt: alert.startsAt })
      else {
        known.alerts.push(alert)
        known.rank = Math.min(known.rank, rank)
        if (alert.startsAt > known.startsAt) known.startsAt = alert.startsAt
      }
    }
  }
  for (const group of found.values())
    group.alerts.sort((a, b) => rankOf(a) - rankOf(b) || (a.startsAt < b.startsAt ? 1 : -1))
  return [...found.values()].sort((a, b) => a.rank - b.rank || (a.startsAt < b.startsAt ? 1 : -1))
}

function Incidents({ matchers }: { matchers: Parameters<typeof matchesAll>[0] }) {
  const { data, error, again } = useIncidents()
  const open = (data ?? []).filter(({ state }) => state !== 'resolved')
  const shown = open
    .filter(({ severity, team }) =>
      matchesAll(
        matchers.filter(({ name }) => name === 'severity' || name === 'team'),
        new Map([
          ['severity', severity],
          ['team', team],
        ]),
      ),
    )
    .sort((a, b) => Number(a.state === 'acknowledged') - Number(b.state === 'acknowledged'))
  return (
    <section aria-labelledby="incidents-title">
      <div className="section-head">
        <h2 id="incidents-title">Incidents</h2>
        <p className="count">{data && `${open.length} open`}</p>
        <a href={linkTo('/incidents')}>All incidents</a>
      </div>
      {error && <Failed error={error} again={again} isOlderShown={data !== undefined} />}
      {data === undefined ? (
        !error && <Loading />
      ) : shown.length === 0 ? (
        <p className="calm">{open.length === 0 ? 'No incident is open.' : 'No open incident fits the filter.'}</p>
      ) : (
        <ul className="lines">
          <Growing items={shown} step={30}>
            {(incident) => <IncidentLine key={incident.id} incident={incident} />}
          </Growing>
        </ul>
      )}
    </section>
  )
}

export function IncidentLine({ incident }: { incident: Incident }) {
  const { id, title, severity, team, state, acknowledgedBy, resolvedAt, createdAt } = incident
  const { acknowledge, resolve } = useChanges(incident)
  const address = linkTo(`/incidents/${encodeURIComponent(id)}`)
  return (
    <li
      className={`line incident ${state} severity-${gravity(severity)}`}
      aria-label={`Incident: ${title}`}
      {...line({
        a: acknowledge,
        Enter: () => (location.hash = address),
      })}
    >
      <div className="line-main">
        <Severity name={severity} />
        <a className="title" href={address}>
          {title}
        </a>
      </div>
      <div className="line-side">
        <span>{team}</span>
        <span className={`state-${state}`}>
          {state === 'open' ? 'nobody has it' : state === 'acknowledged' ? `${acknowledgedBy} has it` : 'resolved'}
        </span>
        <Age at={resolvedAt ?? createdAt} />
        <span className="line-actions">
          {acknowledge ? (
            <button type="button" className="main" onClick={acknowledge}>
              Acknowledge
            </button>
          ) : (
            resolve && (
              <button type="button" onClick={resolve}>
                Resolve
              </button>
            )
          )}
        </span>
      </div>
    </li>
  )
}

const GroupOfAlerts = memo(function GroupOfAlerts({
  group: { group, alerts: members, rank, startsAt },
  opens,
  onPick,
}: {
  group: Group
  opens: boolean
  onPick: (name: string, value: string) => void
}) {
  const { mayRespond } = useSession()
  const [pressed, setPressed] = useState<boolean>()
  const isOpen = pressed ?? opens
  const toggle = () => setPressed(!isOpen)
  const silence = mayRespond && Object.keys(group.labels).length > 0 ? () => silenceLabels(group.labels) : undefined
  const gravities = (['grave', 'warning', 'slight'] as const)[rank] ?? 'slight'
  const [first] = members
  if (first && members.length === 1)
    return (
      <li className={`group severity-${gravities}`}>
        <ul className="alerts">
          <AlertLine alert={first} group={group} isAlone onPick={onPick} />
        </ul>
      </li>
    )
  return (
    <li className={`group severity-${gravities}`}>
      <div className="group-head" aria-label={`Group of ${members.length}`} {...line({ Enter: toggle, s: silence })}>
        <button type="button" className="fold" aria-expanded={isOpen} onClick={toggle}>
          <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span>
          <strong>{members.length.toLocaleString()}</strong>
          <span className="hidden-text">in this group</span>
        </button>
        <Labels labels={group.labels} onPick={onPick} />
        {Object.keys(group.labels).length === 0 && <span className="soft">not grouped by any label</span>}
        <span className="group-side">
          <span className="soft">{group.receiver}</span>
          <Age at={startsAt} />
        </span>
      </div>
      {isOpen && (
        <ul className="alerts">
          <Growing items={members} step={ALERTS}>
            {(alert) => <AlertLine key={alert.fingerprint} alert={alert} group={group} onPick={onPick} />}
          </Growing>
        </ul>
      )}
    </li>
  )
})

function AlertLine({
  alert,
  group,
  isAlone = false,
  onPick,
}: {
  alert: ShownAlert
  group: ShownGroup
  isAlone?: boolean // its group has no line of its own
  onPick: (name: string, value: string) => void
}) {
  const { mayRespond } = useSession()
  const { data: incidents } = useIncidents()
  const [isOpen, setIsOpen] = useState(false)
  const { labels, annotations, fingerprint, startsAt } = alert
  const severity = labels['severity'] ?? ''
  const toggle = () => setIsOpen(!isOpen)
  const silence = mayRespond ? () => silenceLabels(labels) : undefined
  const { acknowledge } = useChanges(
    incidents?.find(({ groupKey, receiver, state }) => {
      return groupKey === group.key && receiver === group.receiver && state === 'open'
    }),
  )
  return (
    <li
      className={`alert severity-${gravity(severity)}${isQuiet(alert) ? ' is-quiet' : ''}`}
      aria-label={`Alert: ${labels['alertname'] ?? fingerprint}`}
      data-fingerprint={fingerprint}
      {...line({ Enter: toggle, s: silence, a: acknowledge })}
    >
      <div className="alert-head">
        <Severity name={severity} />
        <button type="button" className="title" aria-expanded={isOpen} onClick={toggle}>
          {labels['alertname'] ?? 'an alert without a name'}
        </button>
        <span className="summary">{annotations['summary']}</span>
        {!isOpen && (
          <Labels
            labels={labels}
            without={['alertname', 'severity', ...(isAlone ? [] : Object.keys(group.labels))]}
            onPick={onPick}
          />
        )}
        <Quiet alert={alert} />
        <span className="alert-side">
          {isAlone && <span className="whose">{group.receiver}</span>}
          <Age at={startsAt} />
        </span>
      </div>
      {isOpen && <Labels labels={labels} onPick={onPick} />}
      {isOpen && (
        <>
          <Annotations annotations={annotations} />
          <AlertActions alert={alert} silence={silence} />
        </>
      )}
    </li>
  )
}

/** How to send a first alert. */
export function FirstAlert() {
  const address = new URL('webhook', location.href.replace(/#.*$/s, '')).href
  return (
    <>
      <p>Send a first alert to this engine:</p>
      <pre
        tabIndex={0}
      >{`curl -H 'Content-Type: application/json' ${address} -d '{"version":"4","alerts":[{"status":"firing",
  "labels":{"alertname":"ModelDrift","severity":"critical","team":"quant"},
  "annotations":{"summary":"Model drifts","description":"Accuracy fell to 41%"},
  "startsAt":"${new Date().toISOString()}"}]}'`}</pre>
      <p>
        or run <code>npm run demo</code> for a story of two minutes.
      </p>
    </>
  )
}
