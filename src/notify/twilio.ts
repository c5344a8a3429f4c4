import { json } from './fields.ts'
import { type Answer, NoAnswer, type Request, exchange, isCutShort, noneOf } from './http.ts'
import type { Outcome, Reconciled } from './notifier.ts'
import { type Verdict, type Verdicts, all, failedBy } from './verdict.ts'

/** How far back a text is looked for, ms: nothing is tried for longer. */
const LOOK_BACK = 24 * 3_600_000
const PAGE = 100
const MOST_PAGES = 5
/** A page of messages, bytes. */
const LONGEST_PAGE = 1024 * 1024

/** Twilio's error codes; one that is not among them is judged by the HTTP status. https://www.twilio.com/docs/api/errors */
export const twilioCodes: Verdicts = {
  ...all('20429 63017', { means: 'rate limited' }),
  ...all('14107 21611 30001 30022', { means: 'rate limited', wait: 30_000 }),
  30003: { means: 'server error' }, // the handset is off: once more, see below
  ...all('21211 21610 21612 21614 21635 30005 30006 30007', { means: 'rejected' }),
  ...all('20003 21606 21608', { means: 'unauthorised' }),
}

/** An account, and how it is asked. */
export interface Account extends Pick<Request, 'connections' | 'signal'> {
  sid: string
  token: string
  origin: string // https://api.twilio.com, or what stands in for it
}

interface Wanted {
  to: string
  body: string
  from?: string
  messagingServiceSid?: string
  statusCallback?: string
  validityPeriod: number
}

/** Sends one text. Throws what it throws where there is no answer. */
export async function createMessage(account: Account, wanted: Wanted): Promise<Answer> {
  const { twilio, answers } = await openClient(account)
  try {
    await twilio.messages.create(wanted)
  } catch (error) {
    // an answer that Twilio's library takes for an error, or cannot read, is an answer
    if (answers.length === 0) throw error
  }
  const [answer] = answers
  if (!answer) throw new NoAnswer(undefined, false)
  return answer
}

/**
 * Whether a text with these words went to a number. By the day that it was sent one could not find a text that still waits
 * to be sent, so the newest ones are looked at, whatever their day.
 */
export async function findMessage(account: Account, to: string, words: string, at: number): Promise<Reconciled> {
  const { twilio, answers } = await openClient(account)
  const isAnswered = () => answers.at(-1)?.status === 200 && answers.at(-1)?.whole === true
  let page = await twilio.messages.page({ to, pageSize: PAGE }).catch(noneOf(Error))
  for (let pages = 1; page && isAnswered(); pages++) {
    const isFound = page.instances.some(({ body, status }) => body.includes(words) && !lost.has(status))
    if (isFound) return 'arrived'
    const oldest = page.instances.at(-1)?.dateCreated
    if (!page.nextPageUrl || (oldest && oldest.getTime() < at - LOOK_BACK)) return 'not there'
    if (pages === MOST_PAGES) break
    page = await twilio.messages.getPage(page.nextPageUrl).catch(noneOf(Error))
  }
  return 'cannot tell'
}

/** Nobody got these, and nobody will. */
const lost = new Set<string>(['failed', 'undelivered', 'canceled'])

/** How an attempt ended. A 429 was never processed; what became of a text after a 5xx is not known. */
export function twilioOutcome(answer: Answer, attempt: number): Outcome {
  const { status, body } = answer
  const said = json(body)
  const told = said?.['error_code'] ?? said?.['code']
  const code = typeof told === 'number' || typeof told === 'string' ? String(told) : ''
  const isSuccess = status >= 200 && status < 300
  const sid = said?.['sid']
  if (isSuccess && !isCutShort(answer) && typeof sid === 'string' && code === '') return { state: 'delivered', id: sid }
  const message = typeof said?.['message'] === 'string' ? said['message'] : ''
  return failedBy(answer, `${code} ${message}`.trim(), verdictOf(code, status, attempt))
}

function verdictOf(code: string, status: number, attempt: number): Verdict | undefined {
  if (status === 429) return { means: 'rate limited' }
  if (code === '30003' && attempt > 1) return { means: 'rejected' }
  if (Object.hasOwn(twilioCodes, code)) return twilioCodes[code]
  // a success without a message in it is none that one can name
  return status >= 500 || (status >= 200 && status < 300) ? { means: 'unknown' } : undefined
}

/** Late: it takes half a second. */
export function loadTwilio() {
  return import('twilio')
}

/** Twilio's own client, whose requests go where, as long and as far as ours do; each is for one attempt. */
async function openClient({ sid, token, origin, connections, signal }: Account) {
  const { default: twilio } = await loadTwilio()
  const answers: Answer[] = []
  type Send<T> = typeof twilio.RequestClient.prototype.request<T>
  class Ours extends twilio.RequestClient {
    override async request<T>(options: Parameters<Send<T>>[0]): Promise<Awaited<ReturnType<Send<T>>>> {
      const { method, uri, data, params } = options
      const url = new URL(uri)
      const query = new URLSearchParams([...url.searchParams, ...pairs(params)]).toString()
      const login = Buffer.from(`${sid}:${token}`).toString('base64')
      const isPost = method === 'post'
      const answer = await exchange({
        method: isPost ? 'POST' : 'GET',
        url: `${origin}${url.pathname}${query && `?${query}`}`,
        headers: {
          Authorization: `Basic ${login}`,
          Accept: 'application/json',
          ...(isPost && { 'Content-Type': 'application/x-www-form-urlencoded' }),
        },
        ...(isPost ? { body: new URLSearchParams(pairs(data)).toString() } : { longest: LONGEST_PAGE }),
        secrets: [login, token],
        connections,
        signal,
      })
      answers.push(answer)
      return { statusCode: answer.status, body: answer.body, headers: {} } as Awaited<ReturnType<Send<T>>>
    }
  }
  return { twilio: twilio(sid, token, { httpClient: new Ours() }), answers }
}

function pairs(given: unknown): [string, string][] {
  return typeof given === 'object' && given !== null
    ? Object.entries(given).map(([name, value]) => [name, String(value)])
    : []
}
