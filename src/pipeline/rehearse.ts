import { isResolved } from '../alert/alert.ts'
import { gravest } from '../alert/severity.ts'
import type { Config, Integration } from '../config/config.ts'
import { formatProblem } from '../config/error.ts'
import { type Notifier, SettingError } from '../notify/notifier.ts'
import type { TemplateData } from '../template/data.ts'
import { toTemplateData } from '../template/notification.ts'
import { type Sample, samples } from '../template/sample.ts'
import { TemplateError, type Templates } from '../template/templates.ts'
import { toNotification } from './notification.ts'

/** Integrations by the hundreds are alike: how a template fails depends on no receiver's name. */
const receiver = 'rehearsal'

/**
 * Tries every template on sample groups: what fails now would fail when a page is due. Nothing is sent.
 * Returns what is wrong, a line each place. `at`: now, epoch ms.
 */
export function rehearse(config: Config<Notifier>, templates: Templates, at: number): string[] {
  const groups = samples(at).map((sample) => ({ ...sample, data: dataOf(sample, at) }))
  const wrong = rehearseRouteLabels(config, templates, groups, at)
  const failing = new Set<string>()
  const failures = new Map<string, string | undefined>()

  /** The first group that something fails for; groups that an integration is not told about do not count. */
  function firstFailure(key: string, integration: string, render: (group: Group) => void): string | undefined {
    const tellsResolved = config.integrations.get(integration)?.sendResolved ?? true
    const likeness = JSON.stringify([key, tellsResolved])
    if (failures.has(likeness)) return failures.get(likeness)
    const failure = groups
      .filter(({ alerts }) => tellsResolved || alerts.some((alert) => !isResolved(alert, at)))
      .map((group) => ({ group, message: whyFailed(() => render(group)) }))
      .find(({ message }) => message !== undefined)
    const told = failure && `fails for ${failure.group.name}: ${failure.message}`
    failures.set(likeness, told)
    return told
  }

  for (const { integration, text, isHtml, problem } of config.fields) {
    const failure = firstFailure(`${isHtml} ${text}`, integration, ({ data }) =>
      isHtml ? templates.html(text, data, at) : templates.text(text, data, at),
    )
    if (failure === undefined) continue
    failing.add(integration)
    wrong.push(formatProblem(problem(`the template ${failure}`)))
  }
  // what is left to its default, and may stand in a file of templates
  const alike = new Map<string, { id: string; failure: string; more: number }>()
  for (const integration of config.integrations.values()) {
    const { id } = integration
    if (failing.has(id)) continue
    const notifier = integration.open()
    const likeness = notifier.likeness ?? id
    const failure = firstFailure(likeness, id, (group) =>
      notifier.compose(toNotification(factsOf(group, integration, config, at), templates)),
    )
    notifier.close?.()
    if (failure === undefined) continue
    const told = alike.get(likeness + failure)
    if (told) told.more += 1
    else alike.set(likeness + failure, { id, failure, more: 0 })
  }
  for (const { id, failure, more } of alike.values())
    wrong.push(`${id}${more > 0 ? ` and ${more} like it` : ''}: a default template ${failure}`)
  return wrong
}

interface Group extends Sample {
  data: TemplateData
}

function rehearseRouteLabels(
  { routeLabels }: Config<Notifier>,
  templates: Templates,
  groups: readonly Group[],
  at: number,
): string[] {
  const wrong = new Map<string, string>() // by place
  for (const { labels, problem } of routeLabels) {
    for (const { name, data } of groups) {
      templates.routeLabels(labels, data, at, (label, { message }) => {
        const place = formatProblem(problem(label, ''))
        if (!wrong.has(place))
          wrong.set(place, formatProblem(problem(label, `the template fails for ${name}: ${message}`)))
      })
    }
  }
  return [...wrong.values()]
}

/** What a template fails with; undefined where it does not. A secret's file may come later. */
function whyFailed(render: () => void): string | undefined {
  try {
    render()
    return undefined
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    if (error instanceof SettingError) return undefined
    throw error
  }
}

function dataOf({ alerts, groupLabels }: Sample, at: number) {
  const externalURL = 'https://tocsin.example.com'
  return toTemplateData({ receiver, reason: 'first notification', groupLabels, externalURL, alerts }, at)
}

function factsOf(group: Group, { id }: Integration<Notifier>, config: Config<Notifier>, at: number) {
  return {
    id: '00000000-0000-4000-8000-000000000000',
    groupKey: '{}:{alertname="DiskWillFill"}',
    integration: id,
    receiver,
    attempt: 1,
    possibleRepeat: false,
    insteadOf: '',
    at,
    severity: gravest(group.alerts, config),
    team: config.defaultTeam,
    data: group.data,
  }
}
