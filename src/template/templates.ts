import { type TemplateAlert, type TemplateData } from './data.ts'
import { evaluate } from './evaluate.ts'
import { escapeHtml, functions } from './functions.ts'
import { TemplateError } from './lex.ts'
import { type Definitions, type Node, parse } from './parse.ts'
import { Time } from './time.ts'
import { Kv, List, Struct } from './value.ts'

export { TemplateError }

export interface Templates {
  /**
   * Renders a Go text/template over a notification's data; `at`: now, epoch ms. What actions print goes
   * through `escape`, the template's own text does not. Throws TemplateError.
   */
  text(source: string, data: TemplateData, at: number, escape?: (text: string) => string): string
  /** The same with what actions print escaped for HTML. Throws TemplateError. */
  html(source: string, data: TemplateData, at: number): string
}

const names = new Set([...functions.keys(), 'and', 'or'])
const CACHED = 2000

/** Parses files of definitions, later ones replacing earlier ones. Throws TemplateError. */
export function parseTemplates(files: readonly { name: string; text: string }[]): Templates {
  const definitions: Definitions = new Map()
  for (const { name, text } of files) {
    const parsed = parse(text, name, names)
    definitions.set(name, parsed.body)
    for (const [defined, nodes] of parsed.definitions) definitions.set(defined, nodes)
  }
  const cache = new Map<string, { body: Node[]; definitions: Definitions }>()

  function compiled(source: string): { body: Node[]; definitions: Definitions } {
    const known = cache.get(source)
    if (known) return known
    const parsed = parse(source, '', names)
    const own = parsed.definitions.size > 0 ? new Map([...definitions, ...parsed.definitions]) : definitions
    if (cache.size >= CACHED) cache.clear()
    const made = { body: parsed.body, definitions: own }
    cache.set(source, made)
    return made
  }

  function render(source: string, data: TemplateData, at: number, escape: (text: string) => string): string {
    if (!source.includes('{{')) return source
    const { body, definitions: known } = compiled(source)
    return evaluate(body, toStruct(data), known, { at, routeLabels: new Kv(data.routeLabels) }, escape)
  }

  return {
    text: (source, data, at, escape = (text) => text) => render(source, data, at, escape),
    html: (source, data, at) => render(source, data, at, escapeHtml),
  }
}

const language = new Set(
  'and or not eq ne lt le gt ge len index slice print printf println html js urlquery call'.split(' '),
)

/** What is wrong with a template's syntax; undefined where it parses. */
export function syntaxError(
  source: string,
  known: 'all functions' | 'language only' = 'all functions',
): string | undefined {
  try {
    parse(source, '', known === 'language only' ? language : names)
    return undefined
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}

const dataJson = new Map([
  ['Receiver', 'receiver'],
  ['Status', 'status'],
  ['Alerts', 'alerts'],
  ['NotificationReason', 'notification_reason'],
  ['GroupLabels', 'groupLabels'],
  ['CommonLabels', 'commonLabels'],
  ['CommonAnnotations', 'commonAnnotations'],
  ['RouteLabels', 'routeLabels'],
  ['ExternalURL', 'externalURL'],
])
const alertJson = new Map([
  ['Status', 'status'],
  ['Labels', 'labels'],
  ['Annotations', 'annotations'],
  ['StartsAt', 'startsAt'],
  ['EndsAt', 'endsAt'],
  ['GeneratorURL', 'generatorURL'],
  ['Fingerprint', 'fingerprint'],
])

function toStruct(data: TemplateData): Struct {
  const fields = new Map<string, string | List | Kv>([
    ['Receiver', data.receiver],
    ['Status', data.status],
    ['Alerts', new List(data.alerts.map(toAlert), 'Alert')],
    ['NotificationReason', data.notificationReason],
    ['GroupLabels', new Kv(data.groupLabels)],
    ['CommonLabels', new Kv(data.commonLabels)],
    ['CommonAnnotations', new Kv(data.commonAnnotations)],
    ['RouteLabels', new Kv(data.routeLabels)],
    ['ExternalURL', data.externalURL],
  ])
  return new Struct('*template.Data', fields, dataJson)
}

function toAlert(alert: TemplateAlert): Struct {
  const fields = new Map<string, string | Kv | Time>([
    ['Status', alert.status],
    ['Labels', new Kv(alert.labels)],
    ['Annotations', new Kv(alert.annotations)],
    ['StartsAt', Time.parse(alert.startsAt)],
    ['EndsAt', Time.parse(alert.endsAt)],
    ['GeneratorURL', alert.generatorURL],
    ['Fingerprint', alert.fingerprint],
  ])
  return new Struct('template.Alert', fields, alertJson)
}
