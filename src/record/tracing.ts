import type { Context, SpanContext, Span as OtelSpan } from '@opentelemetry/api'

/** What spans say: plain names, counts of what a step worked at. Never a URL, a header or a text of an alert. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

export interface Span {
  readonly traceId: string
  readonly traceparent: string // https://www.w3.org/TR/trace-context/
  set(attributes: Attributes): void
  name(name: string): void
  fail(reason: string): void
  end(at?: number): void // epoch ms
}

export interface SpanOptions {
  kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal'
  attributes?: Attributes
  /** `traceparent`s: it is a part of the first one's trace, and linked with the others. */
  parents?: readonly string[]
  at?: number // when it began, epoch ms; now where it is not said
}

export interface Tracing {
  start(name: string, options: SpanOptions): Span
  /** Sends what is not sent yet. */
  stop(): Promise<void>
}

type Env = Readonly<Record<string, string | undefined>>

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The trace that a `traceparent` header names; undefined where it names none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const [, traceId = '', spanId = ''] = TRACEPARENT.exec(traceparent ?? '') ?? []
  return /[1-9a-f]/.test(traceId) && /[1-9a-f]/.test(spanId) ? traceId : undefined
}

/**
 * Traces by OTLP over HTTP to where OpenTelemetry's own variables say; undefined where they say nothing: then none of its
 * packages is even read. `tell` is told when what is traced cannot be sent.
 */
export async function openTracing(
  env: Env,
  version: string,
  tell: (why: string) => void,
): Promise<Tracing | undefined> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (!endpoint || env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return undefined
  const [api, sdk, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  const silent = () => {}
  const failed = (why: string) => tell(why.slice(0, 300))
  api.diag.setLogger(
    { error: failed, warn: silent, info: silent, debug: silent, verbose: silent },
    { logLevel: api.DiagLogLevel.ERROR, suppressOverrideMessage: true },
  )
  const resource = resources
    .resourceFromAttributes({ 'service.name': 'tocsin', 'service.version': version })
    .merge(resources.detectResources({ detectors: [resources.envDetector] }))
  const processor = new sdk.BatchSpanProcessor(new OTLPTraceExporter())
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] })
  const tracer = provider.getTracer('tocsin', version)
  const kinds = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    producer: api.SpanKind.PRODUCER,
    consumer: api.SpanKind.CONSUMER,
    internal: api.SpanKind.INTERNAL,
  }

  function contextOf(traceparent: string): SpanContext | undefined {
    const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
    if (traceId === undefined || spanId === undefined || traceIdOf(traceparent) === undefined) return undefined
    return { traceId, spanId, traceFlags: Number.parseInt(flags ?? '0', 16) & 1, isRemote: true }
  }

  function toSpan(span: OtelSpan): Span {
    const { traceId, spanId, traceFlags } = span.spanContext()
    let failure: string | undefined
    return {
      traceId,
      traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
      set: (attributes) => void span.setAttributes(attributes),
      name: (name) => void span.updateName(name),
      fail: (reason) => (failure = reason),
      end(at) {
        const { OK, ERROR } = api.SpanStatusCode
        span.setStatus(failure === undefined ? { code: OK } : { code: ERROR, message: failure })
        span.end(at)
      },
    }
  }

  return {
    start(name, { kind, attributes, parents = [], at }) {
      const [parent, ...linked] = parents.map(contextOf).filter((context) => context !== undefined)
      const root: Context = api.ROOT_CONTEXT
      const span = tracer.startSpan(
        name,
        {
          kind: kinds[kind],
          links: linked.map((context) => ({ context })),
          ...(attributes && { attributes }),
          ...(at !== undefined && { startTime: at }),
        },
        parent ? api.trace.setSpanContext(root, parent) : root,
      )
      return toSpan(span)
    },
    stop: () => provider.shutdown(),
  }
}
