import type { ShownAlert } from '../../src/view/now.ts'
import { addressOf, linkTo } from '../data/place.ts'
import { AlertLinks } from './labels.tsx'
import { copyLink } from './toasts.tsx'

/** What keeps an alert quiet, a word each. */
export function Quiet({ alert: { silencedBy, inhibitedBy, mutedBy } }: { alert: ShownAlert }) {
  return (
    <>
      {silencedBy.length > 0 && <span className="badge">silenced</span>}
      {inhibitedBy.length > 0 && <span className="badge">inhibited</span>}
      {mutedBy.length > 0 && <span className="badge">muted: {mutedBy.join(', ')}</span>}
    </>
  )
}

/** What can be done about an alert, and where more about it stands. */
export function AlertActions({ alert, silence }: { alert: ShownAlert; silence: (() => void) | undefined }) {
  const { fingerprint, labels } = alert
  const own = linkTo('/', {
    filter: Object.entries(labels)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(', '),
  })
  return (
    <div className="actions">
      {silence && (
        <button type="button" onClick={silence}>
          Silence this
        </button>
      )}
      <a className="button" href={linkTo('/why', { fingerprint })}>
        Why?
      </a>
      <a className="button" href={linkTo('/notifications', { alert: fingerprint })}>
        Notifications
      </a>
      <button type="button" onClick={() => void copyLink(addressOf(own))}>
        Copy link
      </button>
      <AlertLinks of={[alert]} />
    </div>
  )
}
