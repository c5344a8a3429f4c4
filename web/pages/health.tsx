import { useEffect, useMemo, useState } from 'react'
import type { Kpi } from '../../src/insight/kpis.ts'
import type { Pattern, Patterns as Found } from '../../src/insight/patterns.ts'
import type { Health, Part, Status } from '../../src/view/health.ts'
import type { Kpis } from '../../src/view/insights.ts'
import type { Point as SeriesPoint } from '../../src/view/series.ts'
import { AuditLog } from '../components/audit-log.tsx'
import { Chart } from '../components/chart.tsx'
import { line } from '../components/keys.tsx'
import { channelName } from '../components/message.tsx'
import { Read } from '../components/states.tsx'
import { When, lasting } from '../components/time.tsx'
import { ApiError, OURS, get } from '../data/api.ts'
import { useFresh } from '../data/fresh.ts'
import { useSession } from '../data/session.ts'
import { theme } from '../data/theme.ts'

type Point = Omit<SeriesPoint, 'counts'> & { counts: Record<string, number> }

/** How long a point is, and how often there is a new one, s. */
const STEP = 10
const HOUR = 3600
/** Of a Tocsin that has just begun the charts show so many points. */
const LEAST = 90

/** How Tocsin is: tiles, charts of the last hour, figures against their targets, what goes wrong most, who did what. */
export function HealthPage() {
  const health = useFresh<Health>(`${OURS}/health`, 'health')
  const { points, error } = useSeries()
  const { isAdmin, teams } = useSession()
  return (
    <>
      <div className="section-head">
        <h1>Health</h1>
      </div>
      <Read of={health}>{(data) => <Tiles health={data} points={points} />}</Read>
      <section aria-labelledby="charts">
        <h2 id="charts">The last hour</h2>
        {error && <p className="failed">{error.message}</p>}
        <Charts points={points} />
      </section>
      <section aria-labelledby="kpis">
        <h2 id="kpis">Figures of the last 24 hours, and their targets</h2>
        <Figures />
      </section>
      <section aria-labelledby="patterns">
        <h2 id="patterns">Error patterns of the last 24 hours</h2>
        <Patterns />
      </section>
      {isAdmin && teams === undefined && (
        <section aria-labelledby="audit">
          <h2 id="audit">Who did what</h2>
          <AuditLog />
        </section>
      )}
    </>
  )
}

const names: Readonly<Record<Exclude<Part['name'], 'delivery'>, string>> = {
  receiving: 'Receiving',
  redis: 'Redis',
  flush: 'Flush',
  queue: 'Queue',
  canary: 'Canary',
  heartbeat: 'Heartbeat',
  awaited: 'Awaited',
  config: 'Config',
}
const worth: Readonly<Record<Status, number>> = { ok: 100, degraded: 85, down: 0 }

/** From when on a tile is green, and from when on orange. */
const GREEN = 95
const ORANGE = 80

interface Scored {
  name: string
  score: number // of 100
  reason: string
}

function Tiles({ health, points }: { health: Health; points: readonly Point[] }) {
  const tiles = tilesOf(health.parts, points)
  const lowest = tiles.reduce((least, tile) => (tile.score < least.score ? tile : least))
  const reason = lowest.score === 100 ? `all ${tiles.length} parts are well` : `as its lowest part, ${lowest.name}`
  return (
    <>
      <ul className="tiles">
        <Tile name="Overall" score={lowest.score} reason={reason} />
        {tiles.map((tile) => (
          <Tile key={tile.name} {...tile} />
        ))}
      </ul>
      <p className="soft hint">
        100 is well, 85 impaired, 0 down. A channel shows what share of the last hour’s attempts succeeded, and is red
        only while it fails. Green from {GREEN}, orange from {ORANGE}.
      </p>
    </>
  )
}

/** The parts as tiles: all queues are one, each channel is one by its own name. */
function tilesOf(parts: readonly Part[], points: readonly Point[]): Scored[] {
  const queues = parts.filter(({ name }) => name === 'queue')
  return parts.flatMap((part): Scored[] => {
    const { name, of = '', status, reason } = part
    if (name === 'delivery') return [channelTile(part, points)]
    if (name !== 'queue') return [{ name: of ? `${names[name]} · ${of}` : names[name], score: worth[status], reason }]
    return part === queues[0] ? [queueTile(queues)] : []
  })
}

function queueTile(queues: readonly Part[]): Scored {
  const busy = queues.filter(({ reason }) => reason !== 'nothing is owed')
  const said = busy.map(({ of, reason }) => (of ? `${channelName(of)}: ${reason}` : reason))
  return {
    name: names.queue,
    score: Math.min(...queues.map(({ status }) => worth[status])),
    reason: said.join('; ') || 'nothing is owed',
  }
}

function channelTile({ of = '', status, reason }: Part, points: readonly Point[]): Scored {
  const failed = sumOf(points, `failed:${of}`)
  const all = sumOf(points, `told:${of}`) + failed
  const rate = all === 0 ? 100 : Math.floor((100 * (all - failed)) / all)
  const name = channelName(of)
  if (failed === 0) return { name, score: worth[status], reason }
  // what is over is no reason to wake anybody
  const score = status === 'ok' ? Math.max(ORANGE, rate) : Math.min(rate, worth[status])
  return { name, score, reason: `${failed} of ${all} attempts of the last hour failed; ${reason}` }
}

const sumOf = (points: readonly Point[], name: string) =>
  points.reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0)

function Tile({ name, score, reason }: Scored) {
  const [colour, word] =
    score >= GREEN
      ? ['green', 'well']
      : score >= ORANGE
        ? ['orange', 'impaired']
        : ['red', score === 0 ? 'down' : 'failing']
  return (
    <li className={`tile ${colour}`} aria-label={`${name}: ${score} of 100, ${word}`} {...line({})}>
      <p className="tile-name">{name}</p>
      <p className="tile-score">
        {score}
        <span className="tile-word">{word}</span>
      </p>
      <span className="tile-bar">
        <span style={{ width: `${score}%` }} />
      </span>
      <p className="tile-reason">{reason}</p>
    </li>
  )
}

/** The points of the last hour; each step the new ones are read. */
function useSeries(): { points: readonly Point[]; error: ApiError | undefined } {
  const [points, setPoints] = useState<readonly Point[]>([])
  const [error, setError] = useState<ApiError>()
  useEffect(() => {
    let isGone = false
    let after = 0
    async function read(): Promise<void> {
      try {
        const fresh = await get<Point[]>(`${OURS}/series?after=${after}`)
        if (isGone) return
        after = fresh.at(-1)?.at ?? after
        setPoints((known) => [...known, ...fresh].slice(-HOUR / STEP))
        setError(undefined)
      } catch (caught) {
        if (!(caught instanceof ApiError)) throw caught
        setError(caught)
      }
    }
    void read()
    const timer = setInterval(() => void read(), (STEP * 1000) / 2)
    return () => {
      isGone = true
      clearInterval(timer)
    }
  }, [])
  return { points, error }
}

const perSecond = (value: number) => `${short(value)}/s`
const perMinute = (value: number) => `${short(value)}/min`
const seconds = (value: number) =>
  value < 1 ? `${Math.round(value * 1000)} ms` : value < 120 ? `${short(value)} s` : lasting(value * 1000)
const percent = (value: number) => `${short(value)} %`
const short = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString() : String(Number(value.toPrecision(2)))

/** Without the time before anything was counted, but for some of it. */
function begun(points: readonly Point[]): readonly Point[] {
  const first = points.findIndex(({ counts }) => Object.keys(counts).length > 0)
  return points.slice(Math.max(0, Math.min(first < 0 ? points.length : first - 3, points.length - LEAST)))
}

function Charts({ points: all }: { points: readonly Point[] }) {
  const { scheme } = theme.use()
  const series = useMemo(() => {
    const points = begun(all)
    const channels = [
      ...new Set(points.flatMap(({ counts }) => Object.keys(counts).filter((name) => name.startsWith('told:')))),
    ].sort()
    const failed = ({ counts }: Point) => sumIn(counts, 'failed:')
    const attempts = ({ counts }: Point) => sumIn(counts, 'told:') + sumIn(counts, 'failed:')
    return {
      times: points.map(({ at }) => at / 1000),
      received: [{ name: 'received', values: points.map(({ counts }) => (counts['received'] ?? 0) / STEP) }],
      latency: (['p50', 'p95'] as const).map((name) => ({
        name,
        values: points.map(({ latency }) => latency?.[name] ?? null),
      })),
      channels: (channels.length > 0 ? channels : ['told:none']).map((name) => ({
        name: channelName(name.slice('told:'.length)),
        values: points.map(({ counts }) => ((counts[name] ?? 0) * 60) / STEP),
      })),
      errors: [
        {
          name: 'failed attempts',
          values: points.map((point) => (attempts(point) === 0 ? 0 : (100 * failed(point)) / attempts(point))),
        },
      ],
    }
  }, [all])
  const { times } = series
  return (
    <div className="charts" key={scheme}>
      <Chart title="Alerts received" times={times} lines={series.received} least={0.5} format={perSecond} />
      <Chart
        title="Notification latency, from owed to delivered"
        times={times}
        lines={series.latency}
        least={0.02}
        format={seconds}
      />
      <Chart title="Notifications by channel" times={times} lines={series.channels} least={6} format={perMinute} />
      <Chart title="Error rate" times={times} lines={series.errors} least={10} format={percent} />
    </div>
  )
}

function sumIn(counts: Readonly<Record<string, number>>, prefix: string): number {
  return Object.entries(counts).reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0)
}

function Figures() {
  const found = useFresh<Kpis>(`${OURS}/kpis`)
  return (
    <Read of={found}>
      {({ kpis }) => (
        <div className="scrolls" tabIndex={0} role="region" aria-label="Figures">
          <table className="grid">
            <thead>
              <tr>
                <th scope="col">Figure</th>
                <th scope="col">Value</th>
                <th scope="col">Target</th>
                <th scope="col">Of how many</th>
              </tr>
            </thead>
            <tbody>
              {kpis.map(({ name, unit, value, of, target, better, met }) => (
                <tr key={name}>
                  <th scope="row">{inWords(name)}</th>
                  <td className={met === null ? '' : met ? 'met' : 'missed'}>
                    {measured(value, unit)}
                    {met !== null && <span className="soft">{met ? ' met' : ' missed'}</span>}
                  </td>
                  <td>
                    {target === null
                      ? 'none'
                      : `${better === 'higher' ? 'at least' : 'at most'} ${measured(target, unit)}`}
                  </td>
                  <td>{of.toLocaleString()}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Read>
  )
}

const abbreviations = new Set(['mtta', 'mttr', 'p50', 'p95', 'p99'])

/** `delivery_availability` as people write it. */
function inWords(name: string): string {
  const words = name.split('_').map((word) => (abbreviations.has(word) ? word.toUpperCase() : word))
  const text = words.join(' ')
  return `${text[0]?.toUpperCase()}${text.slice(1)}`
}

function measured(value: number | null, unit: Kpi['unit']): string {
  if (value === null) return '–'
  return unit === 'ratio' ? `${Number((100 * value).toFixed(2))} %` : seconds(value)
}

function Patterns() {
  const found = useFresh<Found>(`${OURS}/patterns?window=24h`)
  return (
    <Read of={found}>
      {({ alerts, deliveries, anomalies }) => (
        <>
          {anomalies.map(({ type, timestamp, count, threshold }) => (
            <p key={`${type} ${timestamp}`} className="failed">
              {inWords(type)} <When at={timestamp} />: {count.toLocaleString()} in a minute, where{' '}
              {threshold.toLocaleString()} would have been much
            </p>
          ))}
          <div className="two-columns">
            <Counted
              title={`Failed attempts: ${deliveries.total.toLocaleString()} of ${deliveries.attempts.toLocaleString()}`}
              pattern={deliveries}
              none="No attempt failed."
            />
            <Counted title={`Alerts: ${alerts.total.toLocaleString()}`} pattern={alerts} none="No alert came." />
          </div>
        </>
      )}
    </Read>
  )
}

function Counted({
  title,
  pattern: { types, affectedServices },
  none,
}: {
  title: string
  pattern: Pattern
  none: string
}) {
  return (
    <section className="card" aria-label={title}>
      <h3>{title}</h3>
      {types.length === 0 && <p className="soft">{none}</p>}
      <Counts names={types.slice(0, 8)} />
      {affectedServices.length > 0 && (
        <>
          <h4>By service</h4>
          <Counts names={affectedServices.slice(0, 5)} />
        </>
      )}
    </section>
  )
}

function Counts({ names: counted }: { names: Pattern['types'] }) {
  return counted.map(({ name, count }) => (
    <p key={name} className="counted">
      <span>{name}</span> <b>{count.toLocaleString()}</b>
    </p>
  ))
}
