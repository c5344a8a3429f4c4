import { alerts } from '../data/alerts.ts'

/** Labels as `name=value`; pressed, one narrows the filter. */
export function Labels({
  labels,
  without = [],
  onPick,
}: {
  labels: Readonly<Record<string, string>>
  without?: readonly string[]
  onPick?: (name: string, value: string) => void
}) {
  const shown = Object.entries(labels).filter(([name]) => !without.includes(name))
  if (shown.length === 0) return null
  return (
    <span className="labels">
      {shown.map(([name, value]) =>
        onPick ? (
          <button
            key={name}
            type="button"
            className="label"
            title="Narrow the filter to this"
            onClick={() => onPick(name, value)}
          >
            <b>{name}</b>={value}
          </button>
        ) : (
          <span key={name} className="label">
            <b>{name}</b>={value}
          </span>
        ),
      )}
    </span>
  )
}

/** A severity by name: only the usual ones have a colour, all have their word. */
export function Severity({ name }: { name: string }) {
  return <span className={`badge severity-${gravity(name)}`}>{name || 'no severity'}</span>
}

/** How a severity is coloured: by its place in the table, where there is one, or by its usual name. */
export function gravity(name: string): 'grave' | 'warning' | 'slight' {
  const { severities } = alerts.get()
  const place = severities.indexOf(name)
  if (place === 0) return 'grave'
  if (/^(critical|page|error|emergency|high|p1|fatal|sev1)$/i.test(name)) return 'grave'
  if (/^(warning|warn|medium|p2|sev2)$/i.test(name)) return 'warning'
  return place > 0 && place < severities.length - 1 ? 'warning' : 'slight'
}

const isAddress = /^https?:\/\//i

/** Annotations; those that are addresses, as links. */
export function Annotations({ annotations }: { annotations: Readonly<Record<string, string>> }) {
  const shown = Object.entries(annotations)
  if (shown.length === 0) return null
  return (
    <dl className="annotations">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{isAddress.test(value) ? <Out href={value}>{value}</Out> : value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** A link that leads away; a text where it is no address of the web. */
export function Out({ href, children }: { href: string; children: React.ReactNode }) {
  if (!isAddress.test(href)) return <span>{children}</span>
  return (
    <a href={href} rel="noopener noreferrer" target="_blank">
      {children}
    </a>
  )
}

/** What an alert links to: its graph, and what addresses there are among its annotations. */
type Linked = Readonly<{ generatorURL: string; annotations: Readonly<Record<string, string>> }>

function linksOf({ generatorURL, annotations }: Linked): (readonly [name: string, href: string])[] {
  return [
    ...(isAddress.test(generatorURL) ? [['graph', generatorURL] as const] : []),
    ...Object.entries(annotations)
      .filter(([, value]) => isAddress.test(value))
      .map(([name, value]) => [name.replace(/_?url$/i, '') || name, value] as const),
  ]
}

/** The links of some alerts, each once; no more than so many. */
export function AlertLinks({ of, most = 6 }: { of: readonly Linked[]; most?: number }) {
  const links = new Map(of.flatMap((alert) => linksOf(alert).map(([name, href]) => [href, name])))
  if (links.size === 0) return null
  return (
    <span className="links">
      {[...links].slice(0, most).map(([href, name]) => (
        <Out key={href} href={href}>
          {name} ↗
        </Out>
      ))}
    </span>
  )
}
