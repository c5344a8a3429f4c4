// The sandbox's inbox: a list that reads itself once and then listens. All data goes in as text, never as markup.

interface Entry {
  id: string
  channel: string
  receiver: string
  to: string
  at: string
  status: string
  title: string
  text: string
  attempt: number
  possibleRepeat: boolean
  payload: unknown
}

const SHOWN = 500
/** Before a connection that was refused is tried again, ms. */
const RETRY = 2000
const entries: Entry[] = []
let channel = ''
const element = (id: string): HTMLElement => document.querySelector<HTMLElement>(`#${id}`)!
const list = element('messages')
const search = document.querySelector<HTMLInputElement>('#search')!

type Child = Node | string | undefined
function h(tag: string, attributes: Record<string, string>, ...children: Child[]): HTMLElement {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value) node.setAttribute(name, value)
  node.append(...children.filter((child) => child !== undefined))
  return node
}

/** A value of unknown shape as a record, and its parts as texts. */
function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
const items = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)

function link(href: string, ...children: Child[]): Node {
  const safe = /^https?:\/\//i.test(href)
  return safe ? h('a', { href, rel: 'noopener noreferrer', target: '_blank' }, ...children) : h('span', {}, ...children)
}

const decoded = (given: string) => given.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')

/** Slack's mrkdwn, as far as alerts use it: `*bold*`, `<url|text>` and the three entities. */
function mrkdwn(given: string): Node[] {
  return given.split(/(<[^<>\s]+(?:\|[^<>]*)?>|\*[^*\n]+\*)/g).map((part) => {
    const found = /^<([^|>]+)(?:\|(.*))?>$/.exec(part)
    if (found) return link(decoded(found[1] ?? ''), decoded(found[2] ?? found[1] ?? ''))
    if (/^\*[^*\n]+\*$/.test(part)) return h('strong', {}, decoded(part.slice(1, -1)))
    return document.createTextNode(decoded(part))
  })
}

const colours: Record<string, string> = { good: '#2eb886', danger: '#a30200', warning: '#daa038' }

function slack(payload: Record<string, unknown>): Node {
  const [first] = items(payload['attachments'])
  const attachment = record(first)
  const given = text(attachment['color'])
  const bar = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  rect.setAttribute('width', '4')
  rect.setAttribute('height', '100%')
  rect.setAttribute('fill', colours[given] ?? (/^#[0-9a-f]{3,8}$/i.test(given) ? given : '#888'))
  bar.append(rect)
  const title = text(attachment['title'])
  const fields = items(attachment['fields']).map(record)
  const ts = Number(attachment['ts'])
  const time = ts ? new Date(ts * 1000).toLocaleString() : ''
  return h(
    'div',
    { class: 'slack' },
    bar,
    h(
      'div',
      {},
      text(payload['text']) ? h('p', {}, ...mrkdwn(text(payload['text']))) : undefined,
      text(attachment['pretext']) ? h('p', {}, ...mrkdwn(text(attachment['pretext']))) : undefined,
      h('h2', {}, attachment['title_link'] ? link(text(attachment['title_link']), decoded(title)) : decoded(title)),
      h('p', { class: 'pre' }, ...mrkdwn(text(attachment['text']))),
      fields.length > 0
        ? h(
            'dl',
            { class: 'fields' },
            ...fields.map((field) =>
              h(
                'div',
                field['short'] ? {} : { class: 'long' },
                h('dt', {}, decoded(text(field['title']))),
                h('dd', {}, ...mrkdwn(text(field['value']))),
              ),
            ),
          )
        : undefined,
      h('p', { class: 'soft' }, [decoded(text(attachment['footer'])), time].filter(Boolean).join(' · ')),
    ),
  )
}

function pagerduty(payload: Record<string, unknown>): Node {
  const page = record(payload['payload'])
  const action = text(payload['event_action'])
  const details = record(page['custom_details'])
  const links = items(payload['links']).map(record)
  const alerts = [...items(details['firing']), ...items(details['resolved'])].map((alert) =>
    record(record(alert)['labels']),
  )
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'badges' },
      h('span', { class: `badge ${action}` }, action === 'resolve' ? 'Resolved' : 'Triggered'),
      h('span', { class: `badge ${text(page['severity'])}` }, text(page['severity'])),
    ),
    h('h2', {}, text(page['summary'])),
    h(
      'table',
      {},
      ...[
        ['Source', text(page['source'])],
        ['Component', text(page['component'])],
        ['Group', text(page['group'])],
        ['Firing', text(details['num_firing'])],
        ['Resolved', text(details['num_resolved'])],
        ...alerts.slice(0, 5).map((labels) => [
          'Alert',
          Object.entries(labels)
            .map(([name, value]) => `${name}=${text(value)}`)
            .join(' '),
        ]),
        ['Dedup key', `${text(payload['dedup_key']).slice(0, 12)}…`],
      ]
        .filter(([, value]) => value)
        .map(([name = '', value = '']) => h('tr', {}, h('td', {}, name), h('td', {}, value))),
    ),
    links.length > 0
      ? h(
          'p',
          {},
          ...links.flatMap((one, i) => [
            i > 0 ? ' · ' : '',
            link(text(one['href']), text(one['text']) || text(one['href'])),
          ]),
        )
      : undefined,
  )
}

function email(payload: Record<string, unknown>, id: string): Node {
  const html = text(payload['html'])
  const plain = h('pre', {}, text(payload['text']) || '(no text part)')
  const frame = h('iframe', {
    sandbox: '',
    title: 'The mail as HTML',
    src: `api/tocsin/v1/inbox/${encodeURIComponent(id)}/html`,
    loading: 'lazy',
  })
  const body = h('div', {}, html ? frame : plain)
  const tab = (name: string, shown: Node) => {
    const button = h('button', { type: 'button', 'aria-pressed': String(body.contains(shown)) }, name)
    button.addEventListener('click', () => {
      body.replaceChildren(shown)
      for (const one of button.parentElement?.children ?? []) one.setAttribute('aria-pressed', String(one === button))
    })
    return button
  }
  return h(
    'div',
    {},
    h('h2', {}, text(payload['subject'])),
    h('p', { class: 'soft' }, `from ${text(payload['from'])} to ${items(payload['to']).map(text).join(', ')}`),
    html ? h('div', { class: 'tabs' }, tab('HTML', frame), tab('Text', plain)) : undefined,
    body,
  )
}

function sms(payload: Record<string, unknown>): Node {
  const segments = Number(payload['segments'])
  return h(
    'div',
    {},
    h('div', { class: 'bubble' }, text(payload['body'])),
    h(
      'p',
      { class: 'soft' },
      `to ${text(payload['to'])} · ${segments} segment${segments === 1 ? '' : 's'}, ${text(payload['encoding'])}`,
    ),
  )
}

const views: Record<string, (payload: Record<string, unknown>, id: string) => Node> = { slack, pagerduty, email, sms }
const names: Record<string, string> = {
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  email: 'Mail',
  sms: 'SMS',
  webhook: 'Webhook',
}

function card(entry: Entry, isNew: boolean): HTMLElement {
  const view = views[entry.channel]
  const time = h('time', { datetime: entry.at, title: new Date(entry.at).toLocaleString() }, ago(entry.at))
  return h(
    'li',
    { class: `message${isNew ? ' new' : ''}`, 'data-id': entry.id },
    h(
      'div',
      { class: 'meta' },
      h('span', { class: 'channel' }, names[entry.channel] ?? entry.channel),
      h('span', {}, entry.receiver),
      h('span', {}, entry.status),
      entry.possibleRepeat ? h('span', { class: 'repeat' }, 'possible repeat') : undefined,
      time,
    ),
    view ? view(record(entry.payload), entry.id) : h('pre', {}, JSON.stringify(entry.payload, null, 2)),
  )
}

function ago(at: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000))
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  return new Date(at).toLocaleString()
}

function wanted(entry: Entry): boolean {
  const words = search.value.trim().toLowerCase()
  if (channel && entry.channel !== channel) return false
  return `${entry.receiver} ${entry.to} ${entry.title} ${entry.text}`.toLowerCase().includes(words)
}

function render(): void {
  const shown = entries.filter(wanted)
  list.replaceChildren(...shown.slice(0, SHOWN).map((entry) => card(entry, false)))
  renderAround(shown.length)
}

/** Everything but the messages: filters, counts, the empty state. */
function renderAround(found = entries.filter(wanted).length): void {
  const bar = element('channels')
  const focused = [...bar.children].indexOf(document.activeElement ?? bar)
  const present = ['', ...Object.keys(names).filter((name) => entries.some((entry) => entry.channel === name))]
  bar.replaceChildren(
    ...present.map((name) => {
      const count = name ? entries.filter((entry) => entry.channel === name).length : entries.length
      const button = h(
        'button',
        { type: 'button', 'aria-pressed': String(channel === name) },
        `${names[name] ?? 'All'} `,
        h('span', { class: 'count' }, String(count)),
      )
      button.addEventListener('click', () => {
        channel = name
        render()
      })
      return button
    }),
  )
  if (focused >= 0) bar.querySelectorAll('button')[focused]?.focus()
  element('empty').hidden = entries.length > 0
  const more = element('more')
  more.hidden = found <= SHOWN && (found > 0 || entries.length === 0)
  more.textContent = found === 0 ? 'No message fits the filter.' : `The newest ${SHOWN} of ${found} messages are shown.`
}

function add(entry: Entry): void {
  if (entries.some(({ id }) => id === entry.id)) return
  entries.unshift(entry)
  if (wanted(entry)) {
    list.prepend(card(entry, true))
    if (list.children.length > SHOWN) list.lastElementChild?.remove()
  }
  element('news').textContent = `${names[entry.channel] ?? entry.channel}: ${entry.title}`
  renderAround()
}

/** Reads the list; what arrives by the stream meanwhile may be newer than the answer, and stays. */
async function load(): Promise<void> {
  const known = new Set(entries)
  const answer = await fetch('api/tocsin/v1/inbox')
  if (!answer.ok) throw new Error(`the engine answered ${answer.status}`)
  const all: Entry[] = await answer.json()
  const listed = new Set(all.map(({ id }) => id))
  const arrived = entries.filter((entry) => !known.has(entry) && !listed.has(entry.id))
  entries.splice(0, entries.length, ...arrived, ...all)
  render()
}

function say(state: string, isLive: boolean): void {
  const shown = element('state')
  shown.textContent = state
  shown.classList.toggle('live', isLive)
}

element('first').textContent =
  `curl -H 'Content-Type: application/json' ${location.origin}/webhook -d '{"version":"4","alerts":[{"status":"firing",
  "labels":{"alertname":"ModelDrift","severity":"critical","team":"quant"},
  "annotations":{"summary":"Model drifts","description":"Accuracy fell to 41%"},
  "startsAt":"${new Date().toISOString()}"}]}'`

/** Listens; after each (re)connection the list is read anew, so that nothing that came meanwhile is missed. */
function listen(): void {
  const stream = new EventSource('api/tocsin/v1/events')
  const again = () => {
    stream.close()
    setTimeout(listen, RETRY)
  }
  stream.addEventListener('open', () => {
    load().then(
      () => say('live', true),
      () => {
        say('cannot read messages', false)
        again()
      },
    )
  })
  stream.addEventListener('error', () => {
    say('reconnecting', false)
    // a lost connection is tried again by the browser, an answer such as a proxy's 502 is not
    if (stream.readyState === EventSource.CLOSED) again()
  })
  stream.addEventListener('inbox', (event) => add(JSON.parse(event.data)))
}
listen()

search.addEventListener('input', render)
setInterval(() => {
  for (const time of list.querySelectorAll('time')) time.textContent = ago(time.dateTime)
}, 5000)
