import { z } from 'zod'

/** An engine that a command talks to. A login may stand in its URL, and is shown nowhere. */
export interface EngineAddress {
  url: string // as it may be shown
  headers: Readonly<Record<string, string>>
}

/** Takes apart what `--url` was given. Throws where it is none. */
export function engineAt(given: string): EngineAddress {
  if (!/^https?:\/\/[^/]/.test(given) || !URL.canParse(given))
    throw new Error(
      `--url: ${hidden(given)} is no URL; write it as http://host:9093, or https://user:password@host:9093`,
    )
  const url = new URL(given)
  const { username, password } = url
  url.username = url.password = ''
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  return { url: url.href.replace(/\/+$/, ''), headers: username === '' ? {} : { Authorization: `Basic ${login}` } }
}

function hidden(given: string): string {
  return JSON.stringify(given.replace(/^.*@/, '…@'))
}

/** Why there is no answer, in words, and what to do. */
export function whyNoAnswer(error: unknown, { url }: EngineAddress): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (error instanceof DOMException) return `the engine at ${url} gave no answer in time`
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code))
    return `the certificate of ${url} is not trusted (${code}); NODE_EXTRA_CA_CERTS=ca.pem names who signed it`
  if (/^ERR_SSL|EPROTO/.test(code)) return `${url} does not speak TLS; is it http://?`
  if (/ECONNRESET|UND_ERR_SOCKET|HPE_/.test(code))
    return `${url} ends the connection (${code}); does it speak TLS, as https://?`
  return `no engine answers at ${url}${code && ` (${code})`}; start one with \`npm start\`, or name another with --url`
}

/** What an answer without success means. */
export function whyRefused(status: number, said: string, { url, headers }: EngineAddress): string {
  if (status === 401)
    return 'Authorization' in headers
      ? `the engine at ${url} does not know this user and password`
      : `the engine at ${url} asks who you are; say so with --url=http://user:password@host:9093`
  if (status === 403) return `the engine at ${url} does not let you do this: ${said}`
  return said || `the engine at ${url} answers ${status}`
}

/** Rejects with what the engine says, or why it says nothing. */
export async function ask(method: string, path: string, { url }: { url: string }): Promise<unknown> {
  const engine = engineAt(url)
  const { status, ok, text } = await fetch(`${engine.url}/api/tocsin/v1/${path}`, { method, headers: engine.headers })
    .then(async (answer) => ({ status: answer.status, ok: answer.ok, text: await answer.text() }))
    .catch((error: unknown) => {
      throw new Error(whyNoAnswer(error, engine), { cause: error })
    })
  if (ok) return JSON.parse(text)
  const said = z.object({ message: z.string() }).safeParse(parseOr(text))
  throw new Error(whyRefused(status, said.data?.message ?? '', engine))
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
