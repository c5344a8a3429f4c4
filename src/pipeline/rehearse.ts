import { isResolved } from '../alert/alert.ts'
import { gravest } from '../alert/severity.ts'
import type { Config, Integration } from '../config/config.ts'
import { formatProblem } from '../config/error.ts'
import { type Notifier, SettingError } from '../notify/notifier.ts'
import { toTemplateData } from '../template/notification.ts'
import { type Sample, samples } from '../template/sample.ts'
import { TemplateError, type Templates } from '../template/templates.ts'
import { toNotification } from './notification.ts'

/**
 * Tries every template on sample groups: what fails now would fail when a page is due. Nothing is sent.
 * Returns what is wrong, a line each. `at`: now, epoch ms.
 */
export function rehearse(config: Config<Notifier>, templates: Templates, at: number): string[] {
  const groups = samples(at)
  const wrong: string[] = []
  const failing = new Set<string>()
  /** The first group that something fails for; groups that an integration is not told about do not count. */
  function firstFailure(integration: string, render: (group: Sample) => void): string | undefined {
    const tellsResolved = config.integrations.get(integration)?.sendResolved ?? true
    for (const group of groups) {
      if (!tellsResolved && group.alerts.every((alert) => isResolved(alert, at))) continue
      const message = whyFailed(() => render(group))
      if (message !== undefined) return `fails for ${group.name}: ${message}`
    }
    return undefined
  }

  for (const { integration, receiver, text, isHtml, problem } of config.fields) {
    const failure = firstFailure(integration, (group) => {
      const data = dataOf(group, receiver, at)
      return isHtml ? templates.html(text, data, at) : templates.text(text, data, at)
    })
    if (failure === undefined) continue
    failing.add(integration)
    wrong.push(formatProblem(problem(`the template ${failure}`)))
  }
  // what is left to its default, and may stand in a file of templates
  for (const integration of config.integrations.values()) {
    const { id } = integration
    if (failing.has(id)) continue
    const notifier = integration.open()
    const failure = firstFailure(id, (group) =>
      notifier.compose(toNotification(factsOf(group, integration, config, at), templates)),
    )
    notifier.close?.()
    if (failure !== undefined) wrong.push(`${id}: a default template ${failure}`)
  }
  return wrong
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

function dataOf({ alerts, groupLabels }: Sample, receiver: string, at: number) {
  const externalURL = 'https://tocsin.example.com'
  return toTemplateData({ receiver, reason: 'first notification', groupLabels, externalURL, alerts }, at)
}

function factsOf(group: Sample, { id, receiver }: Integration<Notifier>, config: Config<Notifier>, at: number) {
  return {
    id: '00000000-0000-4000-8000-000000000000',
    groupKey: '{}:{alertname="DiskWillFill"}',
    integration: id,
    receiver,
    attempt: 1,
    possibleRepeat: false,
    at,
    severity: gravest(group.alerts, config),
    team: config.defaultTeam,
    data: dataOf(group, receiver, at),
  }
}
