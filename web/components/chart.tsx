import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface Line {
  name: string
  values: readonly (number | null)[]
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })

const FEW = 12

/** Told apart in light and in dark, and by who sees few colours. */
const colours = ['--chart-1', '--chart-2', '--chart-3', '--chart-4', '--chart-5']

/** Lines over time; below them each one's name and its last value, for who cannot see them. */
export function Chart({
  title,
  times,
  lines,
  format,
  least,
}: {
  title: string
  times: readonly number[] // epoch s
  lines: readonly Line[]
  format: (value: number) => string
  least: number // its axis goes at least so far up
}) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const names = lines.map(({ name }) => name).join()

  useEffect(() => {
    const frame = place.current
    if (!frame) return
    const css = getComputedStyle(frame)
    const [ink, grid] = [css.getPropertyValue('--soft'), css.getPropertyValue('--line')]
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } }
    const made = new UPlot(
      {
        width: frame.clientWidth,
        height: 160,
        legend: { show: false },
        cursor: { y: false },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(least, (max ?? 0) * 1.1)] } },
        axes: [
          { ...axis, values: (_plot, ticks) => ticks.map((at) => clock.format(at * 1000)) },
          { ...axis, size: 56, values: (_plot, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          ...names.split(',').map((name, i) => ({
            label: name,
            stroke: css.getPropertyValue(colours[i % colours.length] ?? ''),
            width: 2,
            spanGaps: true,
            points: { size: 5, show: (shown: UPlot, of: number) => fewOf(shown.data[of]) },
          })),
        ],
      },
      [],
      frame,
    )
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: frame.clientWidth, height: 160 }))
    watch.observe(frame)
    return () => {
      watch.disconnect()
      made.destroy()
    }
  }, [names, format, least])

  useEffect(() => {
    plot.current?.setData([[...times], ...lines.map(({ values }) => [...values])])
  }, [times, lines])

  return (
    <figure className="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} className="plot" aria-hidden="true" />
      <ul className="legend">
        {lines.map(({ name, values }, i) => (
          <li key={name} className={`chart-${(i % colours.length) + 1}`}>
            {name}: <b>{lastOf(values, format)}</b>
          </li>
        ))}
      </ul>
    </figure>
  )
}

/** Whether there are so few values that a line would hardly show. */
function fewOf(values: UPlot.AlignedData[number] | undefined): boolean {
  let count = 0
  for (const value of values ?? []) if (value !== null && value !== undefined) count += 1
  return count <= FEW
}

function lastOf(values: readonly (number | null)[], format: (value: number) => string): string {
  const last = values.findLast((value) => value !== null)
  return last === undefined || last === null ? '–' : format(last)
}
