import { Growing } from '../components/more.tsx'
import { Empty, Read } from '../components/states.tsx'
import { useIncidents } from '../data/incidents.ts'
import { note, usePlace } from '../data/place.ts'
import { IncidentLine } from './now.tsx'

/** All incidents that are kept, the newest first. */
export function Incidents() {
  const place = usePlace()
  const text = place.params.get('text') ?? ''
  const words = text.trim().toLowerCase()
  const incidents = useIncidents()
  return (
    <>
      <div className="section-head">
        <h1>Incidents</h1>
      </div>
      <div className="filter-bar">
        <input
          data-main-filter=""
          type="search"
          aria-label="Search incidents"
          placeholder="Search by title, team, severity or state"
          value={text}
          onChange={(event) => note(place, 'text', event.target.value)}
        />
      </div>
      <Read of={incidents}>
        {(all) => {
          const shown = all.filter(({ title, team, severity, state }) =>
            `${title} ${team} ${severity} ${state}`.toLowerCase().includes(words),
          )
          if (shown.length === 0) return <Empty title={words ? 'No incident fits.' : 'There was no incident yet.'} />
          return (
            <ul className="lines">
              <Growing items={shown} step={50}>
                {(incident) => <IncidentLine key={incident.id} incident={incident} />}
              </Growing>
            </ul>
          )
        }}
      </Read>
    </>
  )
}
