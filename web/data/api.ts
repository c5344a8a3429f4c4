/** What the engine answered instead of what was asked for, in its words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number // 0: no answer

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The page's own name: no browser is to ask for a password in its place. */
export const headers = { 'X-Tocsin-Page': '1' }
/** Relative to the page, which may stand under a prefix. */
export const OURS = 'api/tocsin/v1'

let notSignedIn: () => void = () => {}

/** Calls back when nobody is signed in any more. */
export function whenSignedOut(callback: () => void): void {
  notSignedIn = callback
}

/** To be called where an answer says that nobody is signed in any more. */
export function signedOut(): void {
  notSignedIn()
}

export async function get<T>(path: string): Promise<T> {
  return ask(path, { headers })
}

export async function send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  return ask(path, {
    method,
    headers: { ...headers, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

async function ask<T>(path: string, request: RequestInit): Promise<T> {
  const answer = await fetch(path, request).catch((): never => {
    throw new ApiError(0, 'Tocsin does not answer')
  })
  const text = await answer.text()
  if (!answer.ok) {
    if (answer.status === 401) signedOut()
    throw new ApiError(answer.status, messageIn(text) || `Tocsin answered ${answer.status}`)
  }
  const body: T = text === '' ? undefined : JSON.parse(text)
  return body
}

/** Errors come as `{"message"}`, as a bare JSON text, or as plain text. */
function messageIn(text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'string') return body
    if (typeof body === 'object' && body !== null && 'message' in body) return String(body.message)
    return text
  } catch {
    return text.trim()
  }
}
