import { Router } from 'express'
import { isTheirAlert, isTheirSilence, isTheirs } from '../access/scope.ts'
import type { Matcher } from '../match/matcher.ts'
import { MatcherError, parseMatchers } from '../match/parse.ts'
import { RegexError } from '../match/regex.ts'
import type { Labels } from '../model/labels.ts'
import { showAlert, showGroups, standings } from '../view/now.ts'
import { readSeries } from '../view/series.ts'
import { showRouting } from '../view/routing.ts'
import { explain } from '../view/why.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError, cannotRead } from './error.ts'
import { principalOf } from './principals.ts'
import { sendJson } from './v2/answer.ts'
import { limitGets } from './limit-gets.ts'

/** More than these no page shows. */
const MOST = 20_000
const LONGEST = 16_000

/** What is true now: the alerts that fire, why an alert is told to whom it is, the routing in force, counts for charts. */
export function now(api: ApiDeps): Router {
  const { deps, view, reloadFailure } = api
  const router = Router()

  router.get('/alerts', limitGets(api), async (request, response) => {
    const { routing, clock } = deps
    const principal = principalOf(request)
    const at = clock.now()
    const snapshot = await view.snapshot(at).catch(cannotRead)
    const theirs = [...(await standings(snapshot, routing, at)).values()].filter(({ seen }) =>
      isTheirAlert(principal, seen.alert.labels, routing.config.defaultTeam),
    )
    const alerts = theirs.slice(0, MOST).map(showAlert)
    response.set('Cache-Control', 'no-store')
    const groups = showGroups(alerts, snapshot.groups)
    const { severities } = routing.config
    sendJson(response, JSON.stringify({ alerts, groups, severities, left: theirs.length - alerts.length }))
  })

  router.get('/incidents/:id/alerts', async (request, response) => {
    const { routing, clock, store } = deps
    const incident = await store.incidents.get(request.params.id).catch(cannotRead)
    if (!incident || !isTheirs(principalOf(request), incident.team))
      throw new HttpError(404, 'there is no such incident')
    const at = clock.now()
    const snapshot = await view.snapshot(at).catch(cannotRead)
    const standing = await standings(snapshot, routing, at)
    const group = snapshot.groups.find(
      ({ key, receiver }) => key === incident.groupKey && receiver === incident.receiver,
    )
    const none = { silencedBy: [], inhibitedBy: [], mutedBy: [], says: '' }
    response.json(
      (group?.alerts ?? []).map((seen) => ({
        ...showAlert(standing.get(seen.alert.fingerprint) ?? { seen, ...none }),
        isFiring: snapshot.firing(seen),
      })),
    )
  })

  router.get('/why', async (request, response) => {
    const { fingerprint, labels } = request.query
    const found =
      typeof fingerprint === 'string'
        ? await labelsOf(fingerprint)
        : typeof labels === 'string'
          ? parseLabels(labels)
          : undefined
    if (!found) throw new HttpError(400, 'say which alert: fingerprint=…, or labels=severity="critical",team="quant"')
    const principal = principalOf(request)
    const sight = {
      alert: (of: Labels) => isTheirAlert(principal, of, deps.routing.config.defaultTeam),
      silence: (matchers: readonly Matcher[]) => isTheirSilence(principal, matchers),
    }
    if (!sight.alert(found)) throw new HttpError(404, 'there is no such alert of your teams')
    response.set('Cache-Control', 'no-store').json(await explain(found, sight, view, deps).catch(cannotRead))
  })

  router.get('/routing', async (_request, response) => {
    response.set('Cache-Control', 'no-store').json(await showRouting(deps, view, reloadFailure()).catch(cannotRead))
  })

  router.get('/series', async (request, response) => {
    const after = Number(request.query['after'] ?? 0)
    if (!Number.isFinite(after)) throw new HttpError(400, 'after: must be epoch milliseconds')
    const points = await readSeries(after, deps).catch(cannotRead)
    response.set('Cache-Control', 'no-store')
    response.json(points.map(({ counts, ...point }) => ({ ...point, counts: Object.fromEntries(counts) })))
  })

  async function labelsOf(fingerprint: string): Promise<Labels> {
    const [alert] = await deps.store.alerts.load([fingerprint]).catch(cannotRead)
    if (!alert) throw new HttpError(404, `there is no alert ${JSON.stringify(fingerprint.slice(0, 40))}`)
    return alert.labels
  }

  /** A label set in the language of matchers. Throws where it is none. */
  function parseLabels(text: string): Labels {
    if (text.length > LONGEST) throw new HttpError(400, `labels: must be at most ${LONGEST} characters`)
    try {
      const { matchers } = parseMatchers(text, deps.routing.config.matcherMode)
      const loose = matchers.find(({ isRegex, isEqual }) => isRegex || !isEqual)
      if (loose) throw new HttpError(400, `a label is written as name="value"; ${loose.name} is not`)
      return new Map(matchers.map(({ name, value }) => [name, value]))
    } catch (error) {
      if (error instanceof MatcherError || error instanceof RegexError) throw new HttpError(400, error.message)
      throw error
    }
  }

  return router
}
