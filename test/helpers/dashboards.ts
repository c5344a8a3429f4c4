import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const folder = join(import.meta.dirname, '../../monitoring/dashboards')

// What Grafana's dashboard JSON model (schemaVersion 39) requires of what is used here; it knows more kinds of panels.
const datasource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('prometheus') })
const target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource,
  expr: z.string().min(1),
  legendFormat: z.string().optional(),
  format: z.enum(['time_series', 'table', 'heatmap']).optional(),
  instant: z.boolean().optional(),
  range: z.boolean().optional(),
})
const threshold = z.strictObject({ color: z.string(), value: z.number().nullable() })
const defaults = z.strictObject({
  unit: z.string().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  color: z.strictObject({ mode: z.enum(['thresholds', 'palette-classic', 'fixed']) }).optional(),
  thresholds: z
    .strictObject({
      mode: z.enum(['absolute', 'percentage']),
      steps: z
        .array(threshold)
        .refine(([base, ...others]) => base?.value === null && others.every(({ value }) => value !== null), {
          error: 'the first step is the base and has no value, the others have one',
        }),
    })
    .optional(),
})
const override = z.strictObject({
  matcher: z.strictObject({ id: z.enum(['byName', 'byRegexp', 'byFrameRefID']), options: z.string() }),
  properties: z.array(z.strictObject({ id: z.string(), value: z.unknown() })),
})
const panel = z.strictObject({
  id: z.int().positive(),
  type: z.enum(['timeseries', 'stat', 'gauge', 'table', 'heatmap']),
  title: z.string().min(1),
  datasource,
  gridPos: z
    .strictObject({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(1) })
    .refine(({ x, w }) => x + w <= 24, { error: 'a row is 24 wide' }),
  targets: z.array(target).min(1),
  fieldConfig: z.strictObject({ defaults, overrides: z.array(override) }),
  options: z.record(z.string(), z.unknown()),
})
const dashboard = z.strictObject({
  uid: z.string().regex(/^[\w-]{1,40}$/),
  title: z.string().min(1),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  version: z.int(),
  editable: z.boolean(),
  graphTooltip: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  refresh: z.string().regex(/^\d+[smh]$/),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  timezone: z.enum(['browser', 'utc']),
  templating: z.strictObject({ list: z.array(z.never()) }),
  annotations: z.strictObject({
    list: z.array(
      z.strictObject({
        name: z.string(),
        datasource,
        enable: z.boolean(),
        iconColor: z.string(),
        expr: z.string(),
        titleFormat: z.string(),
        step: z.string(),
      }),
    ),
  }),
  panels: z.array(panel).min(1),
})

/** The shipped dashboards, by file name. Throws where one is not as Grafana has them. */
export const readDashboards = () =>
  readdirSync(folder).map((file) => ({
    file,
    ...dashboard.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))),
  }))

/** Each panel's queries, with where they stand. */
export const panelQueries = () =>
  readDashboards().flatMap(({ title: of, panels }) =>
    panels.flatMap(({ title, targets }) =>
      targets.map(({ expr, refId }) => ({ panel: `${of}: ${title} ${refId}`, expr })),
    ),
  )
