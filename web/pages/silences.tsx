import { useEffect, useMemo } from 'react'
import { matcher, matchesAll } from '../../src/match/matcher.ts'
import { line, whole } from '../components/keys.tsx'
import { Growing } from '../components/more.tsx'
import { type Silence, editSilence, newSilence, textOf } from '../components/silence-dialog.tsx'
import { Empty, Read } from '../components/states.tsx'
import { Age, When } from '../components/time.tsx'
import { attempt } from '../components/toasts.tsx'
import { alerts } from '../data/alerts.ts'
import { send } from '../data/api.ts'
import { linkTo, note, usePlace } from '../data/place.ts'
import { changedHere, useResource } from '../data/resource.ts'
import { useSession } from '../data/session.ts'

const states = ['active', 'pending', 'expired'] as const

export function Silences() {
  const place = usePlace()
  const { mayRespond } = useSession()
  const text = place.params.get('text') ?? ''
  const words = text.trim().toLowerCase()
  const silences = useResource<Silence[]>('api/v2/silences', 'silences')
  const fitting = (silences.data ?? []).filter(({ id, comment, createdBy, matchers }) =>
    `${id} ${comment} ${createdBy} ${textOf(matchers)}`.toLowerCase().includes(words),
  )
  // where none was chosen, the first that has what is looked for
  const state =
    states.find((one) => one === place.params.get('state')) ??
    states.find((one) => words !== '' && fitting.some(({ status }) => status.state === one)) ??
    'active'
  const asked = place.params.get('new')
  useEffect(() => {
    if (asked === null) return
    newSilence(asked)
    note(place, 'new', '')
  }, [asked, place])
  return (
    <>
      <div className="section-head" {...whole({ s: mayRespond ? () => newSilence() : undefined })}>
        <h1>Silences</h1>
        {mayRespond && (
          <button type="button" className="main" onClick={() => newSilence()}>
            New silence
          </button>
        )}
      </div>
      <div className="tabs" role="tablist" aria-label="Which silences">
        {states.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={state === one}
            onClick={() => note(place, 'state', one)}
          >
            {one} <span className="count">{silences.data?.filter(({ status }) => status.state === one).length}</span>
          </button>
        ))}
      </div>
      <div className="filter-bar">
        <input
          data-main-filter=""
          type="search"
          aria-label="Search silences"
          placeholder="Search by matcher, comment, author or id"
          value={text}
          onChange={(event) => note(place, 'text', event.target.value)}
        />
      </div>
      <Read of={silences}>
        {() => {
          const shown = fitting.filter(({ status }) => status.state === state)
          if (shown.length === 0) return <Empty title={words ? 'No silence fits.' : `No silence is ${state}.`} />
          return (
            <ul className="lines">
              <Growing items={shown} step={50}>
                {(silence) => <SilenceLine key={silence.id} silence={silence} />}
              </Growing>
            </ul>
          )
        }}
      </Read>
    </>
  )
}

function SilenceLine({ silence }: { silence: Silence }) {
  const { id, matchers, comment, createdBy, startsAt, endsAt, status } = silence
  const { mayRespond } = useSession()
  const { byFingerprint } = alerts.use()
  const hides = useMemo(() => {
    const compiled = matchers.map(({ name, value, ...how }) => matcher(name, value, how))
    return [...byFingerprint.values()].filter(({ labels }) => matchesAll(compiled, new Map(Object.entries(labels))))
      .length
  }, [matchers, byFingerprint])
  const text = textOf(matchers)
  const expire = async () => {
    await attempt(send('DELETE', `api/v2/silence/${id}`), 'The silence has ended')
    changedHere('silences')
  }
  const edit = mayRespond ? () => editSilence(silence) : undefined
  return (
    <li className={`line silence-${status.state}`} aria-label={`Silence: ${text}`} {...line({ Enter: edit })}>
      <div className="line-main stacked">
        <code className="title">{text}</code>
        <span className="summary">{comment}</span>
      </div>
      <div className="line-side">
        <span>{createdBy}</span>
        {status.state === 'expired' ? (
          <span>
            ended <When at={endsAt} />
          </span>
        ) : status.state === 'pending' ? (
          <span>
            begins <Age at={startsAt} />
          </span>
        ) : (
          <span>
            ends <Age at={endsAt} />
          </span>
        )}
        <a href={linkTo('/', { filter: text, quiet: '1' })}>
          {status.state === 'active' ? 'hides' : 'fits'} {hides.toLocaleString()} now
        </a>
        {edit && (
          <span className="line-actions">
            {status.state === 'expired' ? (
              <button type="button" onClick={() => newSilence(text)}>
                Again
              </button>
            ) : (
              <>
                <button type="button" onClick={edit}>
                  Edit
                </button>
                <button type="button" onClick={() => void expire()}>
                  Expire
                </button>
              </>
            )}
          </span>
        )}
      </div>
    </li>
  )
}
