import { useEffect, useMemo, useState } from 'react'
import type { Kpi } from '../../src/insight/kpis.ts'
import type { Pattern, Patterns as Found } from '../../src/insight/patterns.ts'
import type { Health, Part, Status } from '../../src/view/health.ts'
import type { Kpis } from '../../src/view/insights.ts'
import { Chart } from '../components/chart.tsx'
import { line } from '../components/keys.tsx'
import { channelName } from '../components/message.tsx'
import { Read } from '../components/states.tsx'
import { When, useNow } from '../components/time.tsx'
import { ApiError, OURS, get } from '../data/api.ts'
import { useResource } from '../data/resource.ts'
import { theme } from '../data/theme.ts'

interface Point {
  at: number
  counts: Record<string, number>
}

/** How long a point is, and how often there is a new one, s. */
const STEP = 10
const HOUR = 3600

/** How Tocsin is: tiles, charts of the last hour, figures against their targets, what goes wrong most. */
export function HealthPage() {
  const health = useFresh<Health>(`${OURS}/health`, 'health')
  const { points, error } = useSeries()
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
        <h2 id="kpis">Figures and their targets</h2>
        <Figures />
      </section>
      <section aria-labelledby="patterns">
        <h2 id="patterns">Error patterns of the last 24 hours</h2>
        <Patterns />
      </section>
    </>
  )
}

const names: Readonly<Record<Part['name'], string>> = {
  receiving: 'Receiving',
  redis: 'Redis',
  flush: 'Flush',
  queue: 'Queue',
  delivery: 'Delivery',
  canary: 'Canary',
  heartbeat: 'Heartbeat',
  awaited: 'Awaited',
  config: 'Config',
}
const worth: Readonly<Record<Status, number>> = { ok: 100, degraded: 85, down: 0 }
const statusWords: Readonly<Record<Status, string>> = { ok: 'well', degraded: 'impaired', down: 'down' }

function Tiles({ health, points }: { health: Health; points: readonly Point[] }) {
  const scored = health.parts.map((part) => ({ part, score: scoreOf(part, points) }))
  const overall = Math.min(...scored.map(({ score }) => score))
  return (
    <>
      <p className="soft">
        A tile shows how much of its work a part does: 100 where it is well, 85 where it is impaired, 0 where it is
        down; of a channel the share of attempts of the last hour that succeeded, where that is less.
      </p>
      <ul className="tiles">
        <Tile
          name="Overall"
          score={overall}
          reason={`the lowest of ${scored.length} parts`}
          word={statusWords[health.status]}
        />
        {scored.map(({ part, score }) => (
          <Tile
            key={`${part.name} ${part.of}`}
            name={`${names[part.name]}${part.of === undefined ? '' : ` · ${channelName(part.of)}`}`}
            score={score}
            reason={part.reason}
            word={statusWords[part.status]}
          />
        ))}
      </ul>
    </>
  )
}

/** Of 100: how much of its work a part does. */
function scoreOf({ name, of = '', status }: Part, points: readonly Point[]): number {
  if (name !== 'delivery') return worth[status]
  const told = sumOf(points, `told:${of}`)
  const failed = sumOf(points, `failed:${of}`)
  const rate = told + failed === 0 ? 100 : Math.round((100 * told) / (told + failed))
  return Math.min(rate, worth[status])
}

const sumOf = (points: readonly Point[], name: string) =>
  points.reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0)

function Tile({ name, score, reason, word }: { name: string; score: number; reason: string; word: string }) {
  const colour = score >= 95 ? 'green' : score >= 80 ? 'orange' : 'red'
  return (
    <li className={`tile ${colour}`} aria-label={`${name}: ${score} of 100, ${word}`} {...line({})}>
      <p className="tile-name">{name}</p>
      <p className="tile-score">
        {score}
        <span className="tile-word">{word}</span>
      </p>
      <p className="tile-reason">{reason}</p>
    </li>
  )
}

/** What moves by itself, without an event that says so: read anew every few seconds. */
function useFresh<T>(path: string, ...kinds: string[]) {
  const found = useResource<T>(path, ...kinds)
  const now = useNow(5000)
  const { again, readAt, error } = found
  useEffect(() => {
    if (readAt > 0 && now - readAt > 4000 && error?.status !== 404) again()
  }, [now, readAt, again, error])
  return found
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
const seconds = (value: number) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${short(value)} s`)
const percent = (value: number) => `${short(value)} %`
const short = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString() : String(Number(value.toPrecision(2)))

function Charts({ points }: { points: readonly Point[] }) {
  const { scheme } = theme.use()
  const series = useMemo(() => {
    const channels = [
      ...new Set(points.flatMap(({ counts }) => Object.keys(counts).filter((name) => name.startsWith('told:')))),
    ].sort()
    const failed = ({ counts }: Point) => sumIn(counts, 'failed:')
    const attempts = ({ counts }: Point) => sumIn(counts, 'told:') + sumIn(counts, 'failed:')
    return {
      times: points.map(({ at }) => at / 1000),
      received: [{ name: 'received', values: points.map(({ counts }) => (counts['received'] ?? 0) / STEP) }],
      latency: [
        {
          name: 'mean',
          values: points.map(({ counts }) =>
            counts['latency:count'] ? (counts['latency:sum'] ?? 0) / counts['latency:count'] : null,
          ),
        },
      ],
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
  }, [points])
  const { times } = series
  return (
    <div className="charts" key={scheme}>
      <Chart title="Alerts received" times={times} lines={series.received} format={perSecond} />
      <Chart title="From owed to delivered" times={times} lines={series.latency} format={seconds} />
      <Chart title="Notifications by channel" times={times} lines={series.channels} format={perMinute} />
      <Chart title="Error rate" times={times} lines={series.errors} format={percent} />
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
                <th scope="col">Of</th>
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
      {[...types.slice(0, 8), ...affectedServices.slice(0, 5)].map(({ name, count }) => (
        <p key={name} className="counted">
          <span>{name}</span> <b>{count.toLocaleString()}</b>
        </p>
      ))}
    </section>
  )
}
