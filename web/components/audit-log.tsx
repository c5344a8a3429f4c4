import type { AuditLine } from '../../src/store/audit.ts'
import { OURS } from '../data/api.ts'
import { useFresh } from '../data/fresh.ts'
import { linkTo } from '../data/place.ts'
import { line } from './keys.tsx'
import { Empty, Read } from './states.tsx'
import { When } from './time.tsx'

const LISTED = 50

/** What people did last, newest first, with a way to what it was about. */
export function AuditLog() {
  const found = useFresh<AuditLine[]>(`${OURS}/audit?limit=${LISTED}`, 'incident', 'silences', 'reload')
  return (
    <Read of={found}>
      {(lines) =>
        lines.length === 0 ? (
          <Empty title="Nobody has done anything yet." />
        ) : (
          <div className="scrolls" tabIndex={0} role="region" aria-label="Who did what">
            <table className="grid">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">What</th>
                  <th scope="col">From</th>
                </tr>
              </thead>
              <tbody>
                {lines.map((one) => (
                  <AuditRow key={JSON.stringify(one)} of={one} />
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Read>
  )
}

function AuditRow({ of }: { of: AuditLine }) {
  const { at, event, by, from, client, level } = of
  const about = linkOf(of)
  const what = `${event[0]?.toUpperCase()}${event.slice(1)}${level === undefined ? '' : ` to ${level}`}`
  return (
    <tr {...line({ Enter: about === undefined ? undefined : () => (location.hash = about) })}>
      <td>
        <When at={at} />
      </td>
      <td>{by || 'anonymous'}</td>
      <td>{about === undefined ? what : <a href={about}>{what}</a>}</td>
      <td className="soft" title={client}>
        {from}
      </td>
    </tr>
  )
}

/** A dead letter that was sent again is found among the notifications by its id. */
function linkOf({ silence, incident, letter }: AuditLine): string | undefined {
  if (silence !== undefined) return linkTo('/silences', { text: silence })
  if (incident !== undefined) return linkTo(`/incidents/${encodeURIComponent(incident)}`)
  return letter === undefined ? undefined : linkTo('/notifications', { text: letter })
}
