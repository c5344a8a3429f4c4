import { type ReactNode, useState } from 'react'
import { Out } from './labels.tsx'

const names: Readonly<Record<string, string>> = {
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  email: 'Mail',
  sms: 'SMS',
  webhook: 'Webhook',
}

export function channelName(channel: string): string {
  return names[channel] ?? channel
}

/** A value of unknown shape as a record, and its parts as texts. */
function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
const items = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)

/** A message as its receiver would see it. `html` is where a mail's HTML is, for a frame. */
export function Message({ channel, payload, html }: { channel: string; payload: unknown; html: string }) {
  const whole = record(payload)
  if (channel === 'slack') return <Slack payload={whole} />
  if (channel === 'pagerduty') return <PagerDuty payload={whole} />
  if (channel === 'email') return <Mail payload={whole} frame={html} />
  if (channel === 'sms') return <Sms payload={whole} />
  return <pre tabIndex={0}>{JSON.stringify(payload, null, 2)}</pre>
}

const decoded = (given: string) => given.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

/** Slack's mrkdwn, as far as alerts use it: `*bold*`, `<url|text>` and the three entities. */
function mrkdwn(given: string): ReactNode[] {
  return given.split(/(<[^<>\s]+(?:\|[^<>]*)?>|\*[^*\n]+\*)/g).map((part, i) => {
    const key = `${i} ${part}`
    const found = /^<([^|>]+)(?:\|(.*))?>$/.exec(part)
    if (found)
      return (
        <Out key={key} href={decoded(found[1] ?? '')}>
          {decoded(found[2] ?? found[1] ?? '')}
        </Out>
      )
    if (/^\*[^*\n]+\*$/.test(part)) return <strong key={key}>{decoded(part.slice(1, -1))}</strong>
    return decoded(part)
  })
}

const colours: Readonly<Record<string, string>> = { good: '#2eb886', danger: '#a30200', warning: '#daa038' }

function Slack({ payload }: { payload: Record<string, unknown> }) {
  const attachment = record(items(payload['attachments'])[0])
  const colour = text(attachment['color'])
  const title = decoded(text(attachment['title']))
  const ts = Number(attachment['ts'])
  const footer = [decoded(text(attachment['footer'])), ts ? new Date(ts * 1000).toLocaleString() : '']
  return (
    <div className="slack">
      <svg aria-hidden="true">
        <rect width="4" height="100%" fill={colours[colour] ?? (/^#[0-9a-f]{3,8}$/i.test(colour) ? colour : '#888')} />
      </svg>
      <div>
        {text(payload['text']) && <p>{mrkdwn(text(payload['text']))}</p>}
        {text(attachment['pretext']) && <p>{mrkdwn(text(attachment['pretext']))}</p>}
        <h3>{attachment['title_link'] ? <Out href={text(attachment['title_link'])}>{title}</Out> : title}</h3>
        <p className="pre">{mrkdwn(text(attachment['text']))}</p>
        <dl className="fields">
          {items(attachment['fields'])
            .map(record)
            .map((field, i) => (
              <div key={`${i} ${text(field['title'])}`} className={field['short'] ? '' : 'long'}>
                <dt>{decoded(text(field['title']))}</dt>
                <dd>{mrkdwn(text(field['value']))}</dd>
              </div>
            ))}
        </dl>
        <p className="soft">{footer.filter(Boolean).join(' · ')}</p>
      </div>
    </div>
  )
}

function PagerDuty({ payload }: { payload: Record<string, unknown> }) {
  const page = record(payload['payload'])
  const action = text(payload['event_action'])
  const severity = text(page['severity'])
  const details = record(page['custom_details'])
  const labelSets = [...items(details['firing']), ...items(details['resolved'])].map((alert) =>
    record(record(alert)['labels']),
  )
  const rows: [string, string][] = [
    ['Source', text(page['source'])],
    ['Component', text(page['component'])],
    ['Group', text(page['group'])],
    ['Firing', text(details['num_firing'])],
    ['Resolved', text(details['num_resolved'])],
    ...labelSets.slice(0, 5).map((labels): [string, string] => [
      'Alert',
      Object.entries(labels)
        .map(([name, value]) => `${name}=${text(value)}`)
        .join(' '),
    ]),
    ['Dedup key', `${text(payload['dedup_key']).slice(0, 12)}…`],
  ]
  return (
    <div>
      <p className="badges">
        <span className={`badge ${action === 'resolve' ? 'state-resolved' : 'state-open'}`}>
          {action === 'resolve' ? 'Resolved' : 'Triggered'}
        </span>
        <span className={`badge ${severity}`}>{severity}</span>
      </p>
      <h3>{text(page['summary'])}</h3>
      <table className="facts">
        <tbody>
          {rows
            .filter(([, value]) => value !== '')
            .map(([name, value]) => (
              <tr key={`${name} ${value}`}>
                <th scope="row">{name}</th>
                <td>{value}</td>
              </tr>
            ))}
        </tbody>
      </table>
      <p className="links">
        {items(payload['links'])
          .map(record)
          .map((one) => (
            <Out key={text(one['href'])} href={text(one['href'])}>
              {text(one['text']) || text(one['href'])}
            </Out>
          ))}
      </p>
    </div>
  )
}

function Mail({ payload, frame }: { payload: Record<string, unknown>; frame: string }) {
  const html = text(payload['html'])
  const [showsHtml, setShowsHtml] = useState(html !== '')
  return (
    <div>
      <h3>{text(payload['subject'])}</h3>
      <p className="soft">
        from {text(payload['from'])} to {items(payload['to']).map(text).join(', ')}
      </p>
      {html !== '' && (
        <div className="tabs small">
          <button type="button" aria-pressed={showsHtml} onClick={() => setShowsHtml(true)}>
            HTML
          </button>
          <button type="button" aria-pressed={!showsHtml} onClick={() => setShowsHtml(false)}>
            Text
          </button>
        </div>
      )}
      {showsHtml ? (
        <iframe sandbox="" title="The mail as HTML" src={frame} loading="lazy" />
      ) : (
        <pre tabIndex={0}>{text(payload['text']) || '(no text part)'}</pre>
      )}
    </div>
  )
}

function Sms({ payload }: { payload: Record<string, unknown> }) {
  const segments = Number(payload['segments'])
  return (
    <div>
      <p className="bubble">{text(payload['body'])}</p>
      <p className="soft">
        to {text(payload['to'])} · {segments} segment{segments === 1 ? '' : 's'}, {text(payload['encoding'])}
      </p>
    </div>
  )
}
