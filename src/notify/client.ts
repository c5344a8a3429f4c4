import type { Surroundings } from '../model/egress.ts'
import type { HttpConfig } from '../model/http-config.ts'
import { headersOf, secretsIn } from './fields.ts'
import { type Request, noAnswer } from './http.ts'
import { type Outcome, SettingError } from './notifier.ts'
import { openPool } from './pool.ts'
import { openTokens } from './token.ts'

/** What all requests of an attempt have in common. */
export type Asking = Pick<Request, 'headers' | 'secrets' | 'connections' | 'signal'>

/** How one integration's requests go out, as its `http_config` has it. */
export interface Client {
  /**
   * An attempt: where there is no answer, that is its outcome. `literal`: whether the host stands in the file itself; one
   * that does not gets no credentials. Throws SettingError.
   */
  attempt(signal: AbortSignal, send: (asking: Asking) => Promise<Outcome>, literal?: boolean): Promise<Outcome>
  /** A question: throws SettingError, NotSent where it cannot be asked, and what `ask` throws. */
  ask<T>(signal: AbortSignal, ask: (asking: Asking) => Promise<T>): Promise<T>
  close(): void
}

export function openClient(config: HttpConfig | undefined, surroundings: Surroundings): Client {
  const pool = openPool(config ?? {}, surroundings)
  const tokens = config?.oauth2 && openTokens(config.oauth2, surroundings)

  const lend = <T>(
    signal: AbortSignal,
    own: Record<string, string>,
    literal: boolean,
    ask: (asking: Asking) => Promise<T>,
  ) => {
    const headers = { ...headersOf(config, literal, surroundings.folder), ...own }
    return pool.use(literal, (connections) => ask({ headers, secrets: secretsIn(headers), connections, signal }))
  }
  return {
    async attempt(signal, send, literal = true) {
      try {
        const taken = literal ? await tokens?.take(signal) : undefined
        if (!tokens || !taken) return await lend(signal, {}, literal, send)
        const { token, isNew } = taken
        const outcome = await lend(signal, { Authorization: token.header }, literal, send)
        if (isNew || outcome.state !== 'failed' || outcome.reason !== 'unauthorised') return outcome
        tokens.drop(token) // it may have been taken back; a new one that is refused too is refused for good
        return { ...outcome, reason: 'configuration', detail: `${outcome.detail}; next time with a new token` }
      } catch (error) {
        if (error instanceof SettingError) throw error
        return noAnswer(error)
      }
    },
    async ask(signal, ask) {
      const taken = await tokens?.take(signal)
      return lend(signal, taken ? { Authorization: taken.token.header } : {}, true, ask)
    },
    close() {
      pool.close()
      tokens?.close()
    },
  }
}
