import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { TemplateData } from '../../src/template/data.ts'
import { TemplateError, parseTemplates } from '../../src/template/templates.ts'

const labels = z.record(z.string(), z.string()).transform((record) => new Map(Object.entries(record)))
const alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels,
  annotations: labels,
  startsAt: z.string(),
  endsAt: z.string(),
  generatorURL: z.string(),
  fingerprint: z.string(),
})
const data: TemplateData = z
  .object({
    receiver: z.string(),
    status: z.enum(['firing', 'resolved']),
    notification_reason: z.string(),
    alerts: z.array(alert),
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: labels,
    externalURL: z.string(),
  })
  .transform(({ notification_reason, ...rest }) => ({
    ...rest,
    notificationReason: notification_reason,
    routeLabels: new Map(),
  }))
  .parse(JSON.parse(readFileSync(new URL('../vectors/template-data.json', import.meta.url), 'utf8')))

const templates = parseTemplates([])

/** What a template makes of the vectors' data, or its error's words. */
export function rendered(template: string): string {
  try {
    return templates.text(template, data, Date.UTC(2026, 2, 1, 10))
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}
