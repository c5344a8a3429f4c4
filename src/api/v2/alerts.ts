import { type Request, Router } from 'express'
import { postedText } from '../../ingest/posted-text.ts'
import { isTheirAlert } from '../../access/scope.ts'
import type { Ingested } from '../../ingest/reject.ts'
import { matchesAll } from '../../match/matcher.ts'
import { toJson } from '../../model/json.ts'
import { toRecord } from '../../model/labels.ts'
import { toTemplateData } from '../../template/notification.ts'
import type { Seen, SeenGroup, Status } from '../../view/alerts.ts'
import type { ApiDeps } from '../deps.ts'
import { DEEPEST } from '../body.ts'
import { HttpError, cannotRead } from '../error.ts'
import { takeAlerts } from '../intake.ts'
import { principalOf } from '../principals.ts'
import { BareError, SchemaError, sendList } from './answer.ts'
import { parseBody, textOfBody } from './body.ts'
import { flag, matchersOf, receiversAsked } from './query.ts'

/** `GET` and `POST /alerts`, `GET /alerts/groups`. */
export function alerts(api: ApiDeps): Router {
  const { deps, view } = api
  const router = Router()

  router.get('/alerts', async (request, response) => {
    const { matchers, asked, wanted, theirs } = queryOf(request)
    const { alerts: seen, statusOf } = await view.snapshot(deps.clock.now()).catch(cannotRead)
    function* shown() {
      for (const one of seen) {
        if (!theirs(one) || !matchesAll(matchers, one.alert.labels) || !one.receivers.some(asked)) continue
        const status = statusOf(one)
        if (wanted(status)) yield toText(one, receiverList(one.receivers), status, [])
      }
    }
    await sendList(response, shown())
  })

  router.get('/alerts/groups', async (request, response) => {
    const { config } = deps.routing
    const { matchers, asked, wanted, theirs } = queryOf(request)
    const showsMuted = flag(request, 'muted')
    const at = deps.clock.now()
    const { groups, firing, statusOf } = await view.snapshot(at).catch(cannotRead)
    const shown = groups.filter(({ receiver }) => asked(receiver))
    const timed = shown.filter(({ routeId }) => {
      const route = config.routes.get(routeId)
      return route !== undefined && route.muteTimeIntervals.length + route.activeTimeIntervals.length > 0
    })
    const mutedBy = await deps.store.groups.mutedBy(timed.map(({ id }) => id)).catch(cannotRead)
    const statuses = new Map<Seen, Status>() // an alert may be in several
    function* filled() {
      for (const group of shown) {
        const { id, labels, receiver, alerts: members } = group
        const muted = mutedBy.get(id) ?? []
        if (muted.length > 0 && !showsMuted) continue
        const inside: string[] = []
        for (const one of members) {
          if (!firing(one) || !theirs(one) || !matchesAll(matchers, one.alert.labels)) continue
          let status = statuses.get(one)
          if (!status) statuses.set(one, (status = statusOf(one)))
          if (wanted(status)) inside.push(toText(one, receiverList(one.receivers.filter(asked).sort()), status, muted))
        }
        if (inside.length === 0) continue
        const named = `"labels":${toJson(toRecord(labels))},"receiver":${receiverJson(receiver)}`
        yield `{"alerts":[${inside.join(',')}],${named}${routeLabels(
          group,
          members.filter((one) => firing(one) && theirs(one)),
          at,
        )}}`
      }
    }
    await sendList(response, filled())
  })

  router.post('/alerts', ...api.admission.handlers, async (request, response) => {
    const { config, known } = deps.routing
    const ingested = await takeAlerts(
      api,
      'v2',
      request,
      (at) => {
        const parse = () => parseBody(request.body, 'alerts')
        return postedText(textOfBody(request.body, 'alerts'), parse, at, config, known, DEEPEST)
      },
      (read) => {
        // Alertmanager takes none where one is not of the schema
        if (deps.exact && read.rejects.some(({ answer }) => answer.code !== 'rule')) refuse(read)
      },
    )
    if (ingested.rejects.length > 0) refuse(ingested)
    response.end()
  })

  /** What both lists may be narrowed by, and are to who asks. Throws BareError. */
  function queryOf(request: Request) {
    const { matcherMode, defaultTeam } = deps.routing.config
    const principal = principalOf(request)
    return {
      matchers: matchersOf(request, 'filter', matcherMode),
      asked: receiversAsked(request, matcherMode, labelsOfReceiver),
      wanted: wantedStates(flag(request, 'active'), flag(request, 'silenced'), flag(request, 'inhibited')),
      theirs: ({ alert }: Seen) => isTheirAlert(principal, alert.labels, defaultTeam),
    }
  }

  /** Those of 0.34, where the group's route has some. */
  function routeLabels({ routeId, labels, receiver }: SeenGroup, members: readonly Seen[], at: number): string {
    const { config, templates } = deps.routing
    const route = config.routes.get(routeId)
    if (!route || route.labels.size === 0) return ''
    const { externalURL } = deps
    const about = { receiver, reason: 'unknown', groupLabels: labels, externalURL }
    const data = toTemplateData({ ...about, alerts: members.map(({ alert }) => alert) }, at)
    // one that fails is left out, which is logged when a message is made
    return `,"routeLabels":${toJson(toRecord(templates.routeLabels(route.labels, data, at, () => {})))}`
  }

  function labelsOfReceiver(name: string) {
    return deps.routing.config.receivers.get(name)?.labels ?? new Map([['name', name]])
  }

  return router
}

/** Of more bad alerts the rest is not told. */
const MOST_TOLD = 100

/** Says what was wrong as Alertmanager does: what cannot be read, else what is not of the schema, else what breaks a rule. */
function refuse({ rejects }: Ingested): never {
  const unreadable = rejects.find(({ answer }) => answer.code === 400)
  if (unreadable) throw new HttpError(400, `parsing alerts body from "" failed, because ${unreadable.answer.message}`)
  for (const { index, answer } of rejects) {
    const { code, message } = answer
    if (code === 601 || code === 602 || code === 612) throw new SchemaError(code, `${index}.${message}`)
  }
  throw new BareError(
    400,
    rejects
      .slice(0, MOST_TOLD)
      .map(({ answer }) => answer.message)
      .join('\n'),
  )
}

function wantedStates(active: boolean, silenced: boolean, inhibited: boolean): (status: Status) => boolean {
  return ({ inhibitedBy, silencedBy }) => {
    if (silencedBy.length > 0 && !silenced) return false
    if (inhibitedBy.length > 0 && !inhibited) return false
    return active || silencedBy.length > 0 || inhibitedBy.length > 0
  }
}

const lists = new Map<string, string>()

/** There are few different lists of receivers, and many alerts. */
function receiverList(names: readonly string[]): string {
  const key = names.join('\n')
  let json = lists.get(key)
  if (json === undefined) {
    json = `[${names.map(receiverJson).join(',')}]`
    if (lists.size >= 1000) lists.clear()
    lists.set(key, json)
  }
  return json
}

function receiverJson(name: string): string {
  return `{"name":${toJson(name)}}`
}

const active = '{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}'

function toText(
  { json: { head, middle, tail } }: Seen,
  receivers: string,
  { inhibitedBy, silencedBy }: Status,
  mutedBy: readonly string[],
): string {
  const isActive = inhibitedBy.length + silencedBy.length + mutedBy.length === 0
  const status = isActive ? active : toJson({ inhibitedBy, mutedBy, silencedBy, state: 'suppressed' })
  return head + receivers + middle + status + tail
}
