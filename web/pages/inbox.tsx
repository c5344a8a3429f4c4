import { useEffect, useState } from 'react'
import type { InboxEntry } from '../../src/store/inbox.ts'
import { line } from '../components/keys.tsx'
import { Message, channelName } from '../components/message.tsx'
import { Growing } from '../components/more.tsx'
import { Empty, Read } from '../components/states.tsx'
import { Age } from '../components/time.tsx'
import { OURS } from '../data/api.ts'
import { note, usePlace } from '../data/place.ts'
import { useResource } from '../data/resource.ts'
import { FirstAlert } from './now.tsx'

/** The sandbox's messages, each as its receiver would see it. */
export function Inbox() {
  const place = usePlace()
  const channel = place.params.get('channel') ?? ''
  const text = place.params.get('text') ?? ''
  const inbox = useResource<InboxEntry[]>(`${OURS}/inbox`, 'inbox')
  return (
    <>
      <div className="section-head">
        <h1>Inbox</h1>
        <p className="soft">The sandbox: every message as its receiver would see it. Nothing leaves this machine.</p>
      </div>
      <Read of={inbox}>
        {(all) => {
          if (all.length === 0)
            return (
              <Empty title="No messages yet">
                <FirstAlert />
              </Empty>
            )
          const channels = [...new Set(all.map((entry) => entry.channel))].sort()
          const words = text.trim().toLowerCase()
          const shown = all.filter(
            (entry) =>
              (channel === '' || entry.channel === channel) &&
              `${entry.receiver} ${entry.to} ${entry.title} ${entry.text}`.toLowerCase().includes(words),
          )
          return (
            <>
              <div className="filter-bar">
                <div className="choices" role="group" aria-label="Channel">
                  {['', ...channels].map((name) => (
                    <button
                      key={name}
                      type="button"
                      aria-pressed={channel === name}
                      onClick={() => note(place, 'channel', name)}
                    >
                      {name ? channelName(name) : 'All'}{' '}
                      <span className="count">
                        {name ? all.filter((entry) => entry.channel === name).length : all.length}
                      </span>
                    </button>
                  ))}
                </div>
                <input
                  data-main-filter=""
                  type="search"
                  aria-label="Filter by receiver or text"
                  placeholder="Filter by receiver or text"
                  value={text}
                  onChange={(event) => note(place, 'text', event.target.value)}
                />
              </div>
              <News newest={all[0]} />
              {shown.length === 0 ? (
                <Empty title="No message fits the filter." />
              ) : (
                <ul className="messages" key={`${channel} ${text}`}>
                  <Growing items={shown} step={30}>
                    {(entry) => (
                      <li
                        key={entry.id}
                        className="message"
                        aria-label={`${channelName(entry.channel)}: ${entry.title}`}
                        {...line({})}
                      >
                        <p className="meta">
                          <strong className="channel">{channelName(entry.channel)}</strong>
                          <span>{entry.receiver}</span>
                          <span>{entry.status}</span>
                          {entry.possibleRepeat && <span className="badge">possible repeat</span>}
                          <Age at={entry.at} />
                        </p>
                        <Message
                          channel={entry.channel}
                          payload={entry.payload}
                          html={`${OURS}/inbox/${encodeURIComponent(entry.id)}/html`}
                        />
                      </li>
                    )}
                  </Growing>
                </ul>
              )}
            </>
          )
        }}
      </Read>
    </>
  )
}

/** Reads out what arrives. */
function News({ newest }: { newest: InboxEntry | undefined }) {
  const [first] = useState(newest?.id)
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (newest && newest.id !== first) setSaid(`${channelName(newest.channel)}: ${newest.title}`)
  }, [newest, first])
  return (
    <p className="hidden-text" aria-live="polite">
      {said}
    </p>
  )
}
