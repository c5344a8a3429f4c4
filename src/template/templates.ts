import { quoteGo } from '../model/quote.ts'
import type { Labels } from '../model/labels.ts'
import type { World } from './call.ts'
import { type TemplateAlert, type TemplateData, noAlerts } from './data.ts'
import { type Escape, evaluate, printed } from './evaluate.ts'
import { functions, languageFunctions } from './functions.ts'
import { type Analysed, type Analysis, openAnalysis } from './html/analyse.ts'
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
  text(source: string, data: TemplateData<string>, at: number, escape?: (text: string) => string): string
  /** The same as Go's html/template: what actions print is escaped by where in the HTML it stands. Throws TemplateError. */
  html(source: string, data: TemplateData<string>, at: number): string
  /**
   * A route's labels over a group's data; they may refer to each other by the function `routeLabels`. One that
   * fails, or refers to itself, is left out and told to `failed`.
   */
  routeLabels(
    sources: ReadonlyMap<string, string>,
    data: TemplateData<string>,
    at: number,
    failed: (name: string, error: TemplateError) => void,
  ): Labels
}

const CACHED = 2000

/** Parses files of definitions, later ones replacing earlier ones. Throws TemplateError. */
export function parseTemplates(files: readonly { name: string; text: string }[]): Templates {
  const definitions: Definitions = new Map()
  for (const { name, text } of files) {
    const parsed = parse(text, name, functions)
    for (const definition of parsed.definitions.values()) define(definitions, definition)
  }
  const analysis = openAnalysis(definitions)
  const cache = new Map<string, Compiled>()

  function compiled(source: string): Compiled {
    const known = cache.get(source)
    if (known) return known
    const { main, definitions: added } = parse(source, '', functions)
    const own: Definitions = new Map(definitions)
    for (const definition of added.values()) define(own, definition)
    // what it defines itself is looked at for it alone
    const isShared = [...added.keys()].every((name) => name === main.name)
    const made = { main, definitions: own, analysis: isShared ? analysis : openAnalysis(own), analysed: undefined }
    if (cache.size >= CACHED) cache.clear()
    cache.set(source, made)
    return made
  }

  function renderText(source: string, data: TemplateData<string>, world: World, escape: Escape): string {
    if (!source.includes('{{')) return source
    const { main, definitions: known } = compiled(source)
    return evaluate(main, toStruct(data), known, world, escape)
  }

  function renderRouteLabels(...[sources, data, at, failed]: Parameters<Templates['routeLabels']>): Labels {
    const rendered = new Map<string, string>()
    const rendering = new Set<string>()
    const valueOf = (name: string): string => {
      const known = rendered.get(name)
      const source = sources.get(name)
      if (known !== undefined || source === undefined) return known ?? ''
      if (rendering.has(name)) throw new TemplateError(`route label ${quoteGo(name)} refers to itself`)
      rendering.add(name)
      try {
        const value = renderText(source, data, { at, routeLabel: valueOf }, printed)
        rendered.set(name, value)
        return value
      } finally {
        rendering.delete(name)
      }
    }
    for (const name of sources.keys()) {
      try {
        valueOf(name)
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        failed(name, error)
      }
    }
    return rendered
  }

  return {
    text: (source, data, at, escape) =>
      renderText(source, data, worldOf(data, at), escape ? (value) => escape(printed(value)) : printed),
    routeLabels: renderRouteLabels,
    html(source, data, at) {
      if (!/\{\{|</.test(source)) return source
      const one = compiled(source)
      one.analysed ??= analysed(one)
      if (one.analysed instanceof TemplateError) throw one.analysed
      const { main, definitions: known, escapers } = one.analysed
      const escape: Escape = (value, node) => escapers.get(node)?.(value) ?? ''
      return evaluate(main, toStruct(data), known, worldOf(data, at), escape)
    },
  }
}

function worldOf({ routeLabels }: TemplateData<string>, at: number): World {
  return { at, routeLabel: (name) => routeLabels.get(name) ?? '' }
}

interface Compiled {
  main: Definition
  definitions: Definitions
  analysis: Analysis // of these definitions
  analysed: Analysed | TemplateError | undefined // undefined: HTML was not asked for yet
}

function analysed({ main, analysis }: Compiled): Analysed | TemplateError {
  try {
    return analysis.analyse(main)
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
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
const structs = new WeakMap<TemplateData<string>, Struct>()

function toStruct(data: TemplateData<string>): Struct {
  const known = structs.get(data)
  if (known) return known
  const made = makeStruct(data)
  structs.set(data, made)
  return made
}

function makeStruct(data: TemplateData<string>): Struct {
  const read = (field: string) => dataFields.get(field)?.(data)
  return new Struct('template.Data', read, data.routeLabels.size > 0 ? dataJson : dataJsonWithoutRouteLabels)
}

function toAlert(alert: TemplateAlert<string>): Struct {
  return new Struct('template.Alert', (field) => alertFields.get(field)?.(alert), alertJson)
}

const dataFields = new Map<string, (data: TemplateData<string>) => string | List | Kv>([
  ['Receiver', (data) => data.receiver],
  ['Status', (data) => data.status],
  ['Alerts', ({ alerts }) => new List(alerts.map(toAlert), 'template.Alerts', alerts === noAlerts)],
  ['NotificationReason', (data) => data.notificationReason],
  ['GroupLabels', (data) => new Kv(data.groupLabels)],
  ['CommonLabels', (data) => new Kv(data.commonLabels)],
  ['CommonAnnotations', (data) => new Kv(data.commonAnnotations)],
  ['RouteLabels', (data) => new Kv(data.routeLabels)],
  ['ExternalURL', (data) => data.externalURL],
])
const alertFields = new Map<string, (alert: TemplateAlert<string>) => string | Kv | Time>([
  ['Status', (alert) => alert.status],
  ['Labels', (alert) => new Kv(alert.labels)],
  ['Annotations', (alert) => new Kv(alert.annotations)],
  ['StartsAt', (alert) => Time.parse(alert.startsAt)],
  ['EndsAt', (alert) => Time.parse(alert.endsAt)],
  ['GeneratorURL', (alert) => alert.generatorURL],
  ['Fingerprint', (alert) => alert.fingerprint],
])
