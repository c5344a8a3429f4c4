import { Router } from 'express'
import { canary } from '../../alert/canary.ts'
import { printConfig } from '../../config/show/print.ts'
import { matchesAll } from '../../match/matcher.ts'
import { toRecord } from '../../model/labels.ts'
import type { ApiDeps } from '../deps.ts'
import { sendJson } from './answer.ts'
import { matchersOf } from './query.ts'

/** The Alertmanager whose API this is; clients look at it to know what they may ask. */
export const alertmanagerVersion = '0.33.1'

/** `GET /status` and `GET /receivers`. */
export function status({ deps, presence, startedAt, version }: ApiDeps): Router {
  const router = Router()
  let printed: { of: unknown; text: string } | undefined

  function original(): string {
    const { printable } = deps.routing.config
    if (printed?.of !== printable) printed = { of: printable, text: printConfig(printable, 'Alertmanager') }
    return printed.text
  }

  router.get('/status', async (_request, response) => {
    // what it is asked for first when something is wrong: it answers without Redis, too
    const peers = await deps.store.peers.list().catch(() => undefined)
    const others = (peers ?? []).filter(({ address }) => address !== '')
    sendJson(
      response,
      JSON.stringify({
        cluster: {
          name: presence.name,
          peers: others.map(({ name, address }) => ({ address, name })),
          status: peers ? 'ready' : 'settling',
        },
        config: { original: original() },
        uptime: new Date(startedAt).toISOString(),
        versionInfo: {
          branch: 'tocsin',
          buildDate: '',
          buildUser: '',
          goVersion: process.version,
          revision: `tocsin-${version}`,
          version: alertmanagerVersion,
        },
      }),
    )
  })

  router.get('/receivers', (request, response) => {
    const { config } = deps.routing
    const prefix = 'failed to parse receiver_matchers param: '
    const matchers = matchersOf(request, 'receiver_matchers', config.matcherMode, prefix)
    const found = [...config.receivers.values()].filter(
      ({ name, labels }) => name !== canary.receiver && matchesAll(matchers, labels),
    )
    sendJson(response, JSON.stringify(found.map(({ name, labels }) => ({ labels: toRecord(labels), name }))))
  })

  return router
}
