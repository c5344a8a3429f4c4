import { type TemplateAlert, type TemplateData } from './data.ts'
import { escapeHtml } from './escape.ts'
import { type Escape, evaluate, printed } from './evaluate.ts'
import { functions, languageFunctions } from './functions.ts'
import { TemplateError } from './lex.ts'
import { type Definition, type Definitions, parse, saysNothing } from './parse.ts'
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

const CACHED = 2000

/** Parses files of definitions, later ones replacing earlier ones. Throws TemplateError. */
export function parseTemplates(files: readonly { name: string; text: string }[]): Templates {
  const definitions: Definitions = new Map()
  for (const { name, text } of files) {
    const parsed = parse(text, name, functions)
    for (const definition of parsed.definitions.values()) define(definitions, definition)
  }
  const cache = new Map<string, { main: Definition; definitions: Definitions }>()

  function compiled(source: string): { main: Definition; definitions: Definitions } {
    const known = cache.get(source)
    if (known) return known
    const parsed = parse(source, '', functions)
    const own = new Map(definitions)
    for (const definition of parsed.definitions.values()) define(own, definition)
    if (cache.size >= CACHED) cache.clear()
    const made = { main: parsed.main, definitions: own }
    cache.set(source, made)
    return made
  }

  function render(source: string, data: TemplateData, at: number, escape: Escape): string {
    if (!source.includes('{{')) return source
    const { main, definitions: known } = compiled(source)
    return evaluate(main, toStruct(data), known, { at, routeLabels: new Kv(data.routeLabels) }, escape)
  }

  return {
    text: (source, data, at, escape) => render(source, data, at, escape ? (value) => escape(printed(value)) : printed),
    html: (source, data, at) => render(source, data, at, (value) => escapeHtml(printed(value))),
  }
}

/** A definition that says nothing does not replace one that does. */
function define(definitions: Definitions, definition: Definition): void {
  if (!definitions.has(definition.name) || !saysNothing(definition)) definitions.set(definition.name, definition)
}

/** What is wrong with a template's syntax; undefined where it parses. */
export function syntaxError(
  source: string,
  known: 'all functions' | 'language only' = 'all functions',
): string | undefined {
  try {
    parse(source, '', known === 'language only' ? languageFunctions : functions)
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
/** A route without labels shows none: what reads the JSON of 0.33 sees no new key. */
const dataJsonWithoutRouteLabels = new Map([...dataJson].filter(([field]) => field !== 'RouteLabels'))
const alertJson = new Map([
  ['Status', 'status'],
  ['Labels', 'labels'],
  ['Annotations', 'annotations'],
  ['StartsAt', 'startsAt'],
  ['EndsAt', 'endsAt'],
  ['GeneratorURL', 'generatorURL'],
  ['Fingerprint', 'fingerprint'],
])

/** A notification's fields are rendered one by one, all over the same data. */
const structs = new WeakMap<TemplateData, Struct>()

function toStruct(data: TemplateData): Struct {
  const known = structs.get(data)
  if (known) return known
  const made = makeStruct(data)
  structs.set(data, made)
  return made
}

function makeStruct(data: TemplateData): Struct {
  const fields = new Map<string, string | List | Kv>([
    ['Receiver', data.receiver],
    ['Status', data.status],
    ['Alerts', new List(data.alerts.map(toAlert), 'template.Alerts')],
    ['NotificationReason', data.notificationReason],
    ['GroupLabels', new Kv(data.groupLabels)],
    ['CommonLabels', new Kv(data.commonLabels)],
    ['CommonAnnotations', new Kv(data.commonAnnotations)],
    ['RouteLabels', new Kv(data.routeLabels)],
    ['ExternalURL', data.externalURL],
  ])
  return new Struct('template.Data', fields, data.routeLabels.size > 0 ? dataJson : dataJsonWithoutRouteLabels)
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
