import type { Surroundings } from '../model/egress.ts'
import type { ProxyConfig, TlsConfig } from '../model/http-config.ts'
import type { Connections } from './connections.ts'
import { proxyFinder } from './proxy.ts'
import { contextOf, readTls } from './tls.ts'

/** What of an `http_config` or an `oauth2` says by what connections requests go. */
interface Settings extends ProxyConfig {
  tls_config?: TlsConfig | undefined
}

/** The connections of one integration, which no other uses where its settings ask for something special. */
export interface Pool {
  /**
   * Lends connections; `literal`: whether the host stands in the file itself, and not in a label. Whose host does not is
   * shown no certificate of ours. Throws SettingError.
   */
  use<T>(literal: boolean, ask: (connections: Connections) => Promise<T>): Promise<T>
  /** They end when nobody uses them. */
  close(): void
}

interface Held {
  key: string
  connections: Connections
  users: number
  isOver: boolean
}

/** Files are read at each use: where they hold something else since, there are other connections, and those before end. */
export function openPool({ tls_config, ...proxies }: Settings, { egress, env, folder }: Surroundings): Pool {
  const held = new Map<boolean, Held>()
  let isClosed = false
  const isUsual = !tls_config && !proxies.proxy_url && !proxies.proxy_from_environment

  const endIfUnused = (one: Held) => {
    if (one.isOver && one.users === 0) one.connections.close()
  }
  const end = (one: Held | undefined) => {
    if (!one) return
    one.isOver = true
    endIfUnused(one)
  }

  /** Already counted as in use. */
  async function take(literal: boolean): Promise<Held> {
    const { openConnections } = await import('./connections.ts')
    const ours = { cert: undefined, cert_file: undefined, key: undefined, key_file: undefined }
    const settings = tls_config && readTls({ ...tls_config, ...(!literal && ours) }, folder)
    const key = JSON.stringify(settings ?? {})
    const before = held.get(literal)
    if (before?.key === key) {
      before.users += 1
      return before
    }
    const tls = settings && { settings, context: contextOf(settings) }
    const connections = openConnections({
      egress,
      literal,
      proxyFor: proxyFinder(proxies, env),
      connectHeader: headerOf(proxies),
      ...(tls && { tls }),
    })
    const next = { key, connections, users: 1, isOver: isClosed }
    if (!isClosed) held.set(literal, next)
    end(before)
    return next
  }

  return {
    async use(literal, ask) {
      if (isUsual) {
        const { connectionsFor } = await import('./connections.ts')
        return ask(connectionsFor(egress, literal))
      }
      const lent = await take(literal)
      try {
        return await ask(lent.connections)
      } finally {
        lent.users -= 1
        endIfUnused(lent)
      }
    },
    close() {
      isClosed = true
      for (const one of held.values()) end(one)
      held.clear()
    },
  }
}

function headerOf({ proxy_connect_header = {} }: ProxyConfig): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(proxy_connect_header).map(([name, values]) => [name, (values ?? []).map((one) => one.reveal())]),
  )
}
