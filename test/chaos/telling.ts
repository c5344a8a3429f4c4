import { simpleParser } from 'mailparser'
import type { Answered, Kind, Request } from './ledger.ts'

/** What a channel was told, whatever its form. */
export interface Telling {
  n: number
  at: number
  kind: Kind
  team: string // whose address it came to
  credential: string
  notification: string // what the receiver tells repeats by; '' where the channel has no such thing
  attempt: number // 0 where the channel has none
  isLabelled: boolean // says of itself that it may be a repeat
  isOver: boolean // tells the end of all
  group: string
  alerts: { id: string; state: 'firing' | 'resolved'; team: string; token: string }[]
  answered: string | undefined // undefined: not at all
}

/** Which team an address is of. */
export type Addresses = ReadonlyMap<string, string>

/** Answers by which a channel says that it has not taken what it read. */
const refusal = /^[45]\d\d/

/** Ledgers of channels as tellings, in the order in which they were read; what a channel refused is none. */
export async function tellingsOf(lines: readonly (Request | Answered)[], addresses: Addresses): Promise<Telling[]> {
  const answers = new Map<string, string>()
  for (const line of lines) if ('answered' in line) answers.set(`${line.kind} ${line.n}`, line.answered)
  const tellings: Telling[] = []
  for (const line of lines) {
    if ('answered' in line) continue
    const answered = answers.get(`${line.kind} ${line.n}`)
    if (answered !== undefined && refusal.test(answered)) continue
    tellings.push({ ...(await read[line.kind](line)), ...common(line, addresses), answered })
  }
  return tellings
}

function common({ n, at, kind, to, credential }: Request, addresses: Addresses) {
  return { n, at, kind, team: addresses.get(to) ?? `nobody's address ${to}`, credential }
}

type Said = Pick<Telling, 'notification' | 'attempt' | 'isLabelled' | 'isOver' | 'group' | 'alerts'>

interface Listed {
  status?: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

const alertOf = ({ labels, annotations }: Listed, state: 'firing' | 'resolved') => ({
  id: labels['id'] ?? '',
  state,
  team: labels['team'] ?? '',
  token: annotations['token'] ?? '',
})

const read: Record<Kind, (request: Request) => Said | Promise<Said>> = {
  webhook({ body, headers }) {
    const payload = JSON.parse(body) as { status: string; alerts: Listed[]; groupLabels: Record<string, string> }
    const attempt = Number(headers['webhook-attempt'])
    return {
      notification: headers['webhook-id'] ?? '',
      attempt,
      isLabelled: attempt > 1,
      isOver: payload.status === 'resolved',
      group: payload.groupLabels['alertname'] ?? '',
      alerts: payload.alerts.map((one) => alertOf(one, one.status === 'resolved' ? 'resolved' : 'firing')),
    }
  },
  pagerduty({ body }) {
    const event = JSON.parse(body) as {
      event_action: string
      dedup_key: string
      payload: { custom_details: { firing?: Listed[]; resolved?: Listed[] } }
    }
    const { firing = [], resolved = [] } = event.payload.custom_details
    return {
      notification: event.dedup_key,
      attempt: 0,
      isLabelled: true, // the key makes a repeat of a trigger the same incident
      isOver: event.event_action === 'resolve',
      group: [...firing, ...resolved][0]?.labels['alertname'] ?? '',
      alerts: [...firing.map((one) => alertOf(one, 'firing')), ...resolved.map((one) => alertOf(one, 'resolved'))],
    }
  },
  slack({ body }) {
    const message = JSON.parse(body) as { text?: string; attachments?: { title?: string; text?: string }[] }
    const [attachment] = message.attachments ?? []
    const title = `${message.text ?? ''}${attachment?.title ?? ''}`
    return { notification: '', attempt: 0, ...fromText(title, attachment?.text ?? '') }
  },
  sms({ body }) {
    const text = new URLSearchParams(body).get('Body') ?? ''
    return { notification: '', attempt: 0, ...fromText(text, text) }
  },
  async email({ body }) {
    const mail = await simpleParser(body)
    return { notification: mail.messageId ?? '', attempt: 0, ...fromText(mail.subject ?? '', mail.text ?? '') }
  },
}

/** In the templates of the arena each alert is `[state|id|team|token]`. */
function fromText(title: string, text: string): Pick<Said, 'isLabelled' | 'isOver' | 'group' | 'alerts'> {
  const alerts = [...text.matchAll(/\[(firing|resolved)\|([^|\]]+)\|([^|\]]+)\|([^|\]]+)\]/g)].map(
    ([, state, id = '', team = '', token = '']) => ({
      id,
      state: state === 'firing' ? ('firing' as const) : ('resolved' as const),
      team,
      token,
    }),
  )
  return {
    isLabelled: title.includes('(possible repeat)'),
    isOver: !alerts.some(({ state }) => state === 'firing'),
    group: alerts[0]?.id.split('.')[0] ?? '',
    alerts,
  }
}
