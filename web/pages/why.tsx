import { type FormEvent, useMemo, useState } from 'react'
import type { Why, WhyGroup, WhyRoute } from '../../src/view/why.ts'
import { FilterInput, vocabularyOf } from '../components/filter-input.tsx'
import { Labels } from '../components/labels.tsx'
import { channelName } from '../components/message.tsx'
import { Empty, Read } from '../components/states.tsx'
import { Age, When, lasting } from '../components/time.tsx'
import { alerts } from '../data/alerts.ts'
import { OURS } from '../data/api.ts'
import { linkTo, usePlace } from '../data/place.ts'
import { useResource } from '../data/resource.ts'
import { Turn, attemptsOf } from './notifications.tsx'

/** Why an alert was told to whom it was, or not; and where one with labels typed in would go. */
export function WhyPage() {
  const { params } = usePlace()
  const fingerprint = params.get('fingerprint') ?? ''
  const labels = params.get('labels') ?? ''
  return (
    <>
      <div className="section-head">
        <h1>Why?</h1>
        <p className="soft">Where an alert goes, and what keeps it from being told.</p>
      </div>
      <LabelsForm given={labels} />
      {fingerprint || labels ? (
        <Explained query={fingerprint ? { fingerprint } : { labels }} />
      ) : (
        <Empty title="Type labels above, or choose “Why?” at an alert.">
          <Recent />
        </Empty>
      )}
    </>
  )
}

export function LabelsForm({ given, path = '/why' }: { given: string; path?: string }) {
  const { byFingerprint } = alerts.use()
  const [text, setText] = useState(given)
  const vocabulary = useMemo(
    () => vocabularyOf([...byFingerprint.values()].map((alert) => alert.labels)),
    [byFingerprint],
  )
  function submit(event: FormEvent): void {
    event.preventDefault()
    location.hash = linkTo(path, { labels: text })
  }
  return (
    <form className="filter-bar" onSubmit={submit}>
      <FilterInput
        isMain
        value={text}
        onChange={setText}
        vocabulary={vocabulary}
        label="Labels of an alert"
        placeholder='severity="critical", team="quant"'
      />
      <button type="submit" className="main">
        Where would it go?
      </button>
    </form>
  )
}

function Recent() {
  const { byFingerprint } = alerts.use()
  const newest = [...byFingerprint.values()].sort((a, b) => (a.startsAt < b.startsAt ? 1 : -1)).slice(0, 8)
  return (
    <ul className="plain">
      {newest.map(({ fingerprint, labels }) => (
        <li key={fingerprint}>
          <a href={linkTo('/why', { fingerprint })}>{labels['alertname'] ?? fingerprint}</a>{' '}
          <Labels labels={labels} without={['alertname']} />
        </li>
      ))}
    </ul>
  )
}

function Explained({ query }: { query: Record<string, string> }) {
  const why = useResource<Why>(
    `${OURS}/why?${new URLSearchParams(query)}`,
    'delivery',
    'silences',
    'routing',
    'incident',
  )
  return <Read of={why}>{(found) => <Whole why={found} />}</Read>
}

function Whole({ why }: { why: Why }) {
  const { labels, isFiring, startsAt, route, silences, inhibition, groups } = why
  return (
    <div className="why">
      <section className="card" aria-label="The alert">
        <p>
          <span className={`badge ${isFiring ? 'state-open' : ''}`}>{isFiring ? 'firing' : 'not firing'}</span>{' '}
          {startsAt && (
            <>
              since <When at={startsAt} />, <Age at={startsAt} />
            </>
          )}
        </p>
        <Labels labels={labels} />
      </section>

      <section aria-labelledby="outcome">
        <h2 id="outcome">Outcome</h2>
        {groups.length === 0 && <p>No route takes it: the root has matchers that do not hold.</p>}
        {groups.map((group) => (
          <GroupCard key={group.id} group={group} />
        ))}
      </section>

      <section aria-labelledby="suppressed">
        <h2 id="suppressed">What keeps it quiet</h2>
        {silences.length === 0 && inhibition === null && groups.every(({ muting }) => muting === null) && (
          <p className="soft">Nothing: no silence, no inhibition, no time interval.</p>
        )}
        {silences.map(({ id, matchers, createdBy, comment, endsAt }) => (
          <p key={id} className="card">
            Silenced by <a href={linkTo('/silences', { text: id })}>{matchers}</a>, by {createdBy}: “{comment}”, until{' '}
            <When at={endsAt} />
          </p>
        ))}
        {inhibition && (
          <div className="card">
            <p>
              Inhibited by <a href={linkTo('/why', { fingerprint: inhibition.fingerprint })}>another alert</a>
            </p>
            <Labels labels={inhibition.labels} />
            <p className="soft">{inhibition.rule}</p>
          </div>
        )}
        {groups.map(
          ({ id, muting, receiver }) =>
            muting && (
              <p key={id} className="card">
                {receiver}: {muting.by === 'active_time_interval' ? 'outside of its active' : 'within a muting'} time
                interval: {muting.intervals.join(', ')}
              </p>
            ),
        )}
      </section>

      <section aria-labelledby="path">
        <h2 id="path">Its way through the tree</h2>
        <ul className="tree">
          <RouteStep route={route} />
        </ul>
      </section>
    </div>
  )
}

function GroupCard({ group }: { group: WhyGroup }) {
  const {
    receiver,
    labels,
    groupWait,
    groupInterval,
    repeatInterval,
    exists,
    alerts: count,
    flushedAt,
    dueAt,
    integrations,
  } = group
  return (
    <div className="card">
      <p>
        <strong>{receiver}</strong> <Labels labels={labels} />
      </p>
      <p className="soft">
        {exists ? `Its group has ${count} ${count === 1 ? 'alert' : 'alerts'}` : 'There is no such group now'}
        {flushedAt && (
          <>
            ; looked at <When at={flushedAt} />
          </>
        )}
        {dueAt && (
          <>
            ; next <When at={dueAt} />
          </>
        )}
        . Waits {lasting(groupWait)} for others, then looks each {lasting(groupInterval)}, repeats after{' '}
        {lasting(repeatInterval)}.
      </p>
      {integrations.length === 0 && <p>The receiver has no integrations: nobody is told.</p>}
      <ul className="plain">
        {integrations.map(({ id, channel, outcome, verdict, attempts }) => (
          <li key={id} className="integration">
            <p>
              <span className="badge">{channelName(channel)}</span> <strong>{inLocalTime(outcome)}</strong>
            </p>
            {verdict && (
              <p className="soft">
                Last decided <When at={verdict.at} />: {verdict.word}
              </p>
            )}
            {attempts.length > 0 && (
              <details>
                <summary>{attemptsOf(attempts.length)}</summary>
                {attempts.map((turn) => (
                  <Turn key={turn.id} turn={{ ...turn, receiver }} />
                ))}
              </details>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** A sentence of the engine's with its instants in the reader's time. */
function inLocalTime(sentence: string) {
  return sentence
    .split(/(\d{4}-\d\d-\d\dT[\d:.]+Z)/)
    .map((part, i) => (i % 2 === 1 ? <When key={`${i} ${part}`} at={part} /> : part))
}

function RouteStep({ route }: { route: WhyRoute }) {
  const { matchers, receiver, tests, matches, takes, children, notAsked, continues } = route
  return (
    <li className={matches ? (takes ? 'takes' : 'matches') : 'misses'}>
      <p>
        <span className="mark" aria-hidden="true">
          {takes ? '●' : matches ? '✓' : '✗'}
        </span>
        <code>{matchers === '{}' ? 'everything' : matchers}</code>
        {takes && <strong> → {receiver}</strong>}
        {continues && matches && <span className="badge">continue</span>}
        {!matches && tests.length > 1 && (
          <span className="soft">
            {tests
              .filter(({ holds }) => holds)
              .map(({ matcher }) => matcher)
              .join(', ')}{' '}
            {tests.length > 2 ? 'hold' : 'holds'}
          </span>
        )}
        {tests
          .filter(({ holds }) => !holds)
          .map(({ matcher, value }) => (
            <span key={matcher} className="soft">
              {matcher} does not hold: it is {value === '' ? 'not there' : `“${value}”`}
            </span>
          ))}
        <span className="hidden-text">{takes ? 'takes it' : matches ? 'matches' : 'does not match'}</span>
      </p>
      {children.length > 0 && (
        <ul>
          {children.map((child) => (
            <RouteStep key={child.id} route={child} />
          ))}
          {notAsked > 0 && (
            <li className="soft">
              {notAsked} more {notAsked === 1 ? 'was' : 'were'} not asked: one before took it, without continue
            </li>
          )}
        </ul>
      )}
    </li>
  )
}
