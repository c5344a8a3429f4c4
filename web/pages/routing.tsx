import type { Problem } from '../../src/config/error.ts'
import type { ShownRoute, ShownRouting } from '../../src/view/routing.ts'
import type { Why } from '../../src/view/why.ts'
import { line } from '../components/keys.tsx'
import { channelName } from '../components/message.tsx'
import { Read } from '../components/states.tsx'
import { When, lasting } from '../components/time.tsx'
import { attempt } from '../components/toasts.tsx'
import { OURS, send } from '../data/api.ts'
import { linkTo, usePlace } from '../data/place.ts'
import { useFresh } from '../data/fresh.ts'
import { changedHere, useResource } from '../data/resource.ts'
import { useSession } from '../data/session.ts'
import { LabelsForm } from './why.tsx'

/** The routing that is in force: its mistakes, where labels would go, the table, the tree. */
export function Routing() {
  const { params } = usePlace()
  const { isAdmin } = useSession()
  const labels = params.get('labels') ?? ''
  const routing = useFresh<ShownRouting>(`${OURS}/routing`, 'routing', 'reload')
  const reload = async () => {
    await attempt(send('POST', '-/reload'), 'The routing file was loaded')
    changedHere('reload')
  }
  return (
    <>
      <div className="section-head">
        <h1>Routing</h1>
        {isAdmin && (
          <button type="button" onClick={() => void reload()}>
            Reload the file
          </button>
        )}
      </div>
      <LabelsForm key={labels} given={labels} path="/routing" />
      <Read of={routing}>
        {(shown) => (labels ? <Tested shown={shown} labels={labels} /> : <Whole shown={shown} taking={new Set()} />)}
      </Read>
    </>
  )
}

function Tested({ shown, labels }: { shown: ShownRouting; labels: string }) {
  const why = useResource<Why>(`${OURS}/why?${new URLSearchParams({ labels })}`, 'routing')
  const taking = new Set(why.data?.groups.map(({ routeId }) => routeId))
  return (
    <>
      <Read of={why}>
        {({ groups }) => (
          <p className="notice" role="status" data-testid="goes-to">
            Goes to{' '}
            <strong>{groups.map(({ receiver }) => receiver).join(', ') || 'nobody: the root does not match'}</strong>:{' '}
            {groups.flatMap(({ integrations }) => integrations.map(({ channel }) => channelName(channel))).join(', ') ||
              'no integrations'}
            . <a href={linkTo('/why', { labels })}>Why?</a>
          </p>
        )}
      </Read>
      <Whole shown={shown} taking={taking} />
    </>
  )
}

function Whole({ shown, taking }: { shown: ShownRouting; taking: ReadonlySet<string> }) {
  const told = new Set(routesIn(shown.route).flatMap(({ id, receiver }) => (taking.has(id) ? receiver : [])))
  const { failure, faults, warnings, severities, teams, route, file } = shown
  return (
    <>
      {failure && (
        <section className="failed" aria-labelledby="failure">
          <h2 id="failure">The file as it stands is not in force</h2>
          <p>
            It was tried <When at={failure.at} />; what was before goes on.
          </p>
          {failure.problems.length === 0 ? (
            <pre tabIndex={0}>{failure.message}</pre>
          ) : (
            <Problems problems={failure.problems} />
          )}
        </section>
      )}
      {faults.length > 0 && (
        <section className="failed" aria-labelledby="faults">
          <h2 id="faults">Some teams’ files are not in force as they are</h2>
          <Problems problems={faults} />
        </section>
      )}
      {warnings.length > 0 && (
        <details className="notice">
          <summary>{warnings.length} warnings</summary>
          <Problems problems={warnings} />
        </details>
      )}
      {severities.length > 0 && (
        <section aria-labelledby="table">
          <h2 id="table">Severities and teams</h2>
          <div className="scrolls" tabIndex={0} role="region" aria-labelledby="table">
            <table className="grid">
              <thead>
                <tr>
                  <th scope="col">Team</th>
                  {severities.map((name) => (
                    <th key={name} scope="col">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {teams.map(({ name, isDefault, cells }) => (
                  <tr key={name}>
                    <th scope="row">
                      {name} {isDefault && <span className="badge">default</span>}
                    </th>
                    {cells.map((cell, i) => (
                      <td key={severities[i]} className={cell && told.has(cell.receiver) ? 'taking' : ''}>
                        {cell ? (
                          <>
                            {cell.channels.map(channelName).join(', ') || 'nobody'}{' '}
                            {cell.incident && <span className="badge state-open">incident</span>}
                          </>
                        ) : (
                          '–'
                        )}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      <section aria-labelledby="tree">
        <h2 id="tree">The tree</h2>
        <p className="soft">
          From {file}. Counted are the alerts that fire now and those of the last 24 h, a route’s children included.
          Times are wait / interval / repeat; what a route does as the one above it is left out.
        </p>
        <ul className="tree">
          <RouteNode route={route} taking={taking} />
        </ul>
      </section>
    </>
  )
}

function routesIn(route: ShownRoute): ShownRoute[] {
  return [route, ...route.routes.flatMap(routesIn)]
}

/** How a route tells, as far as it does so otherwise than the route above it. */
function waysOf(route: ShownRoute, above: ShownRoute | undefined): string {
  const by = ({ groupBy }: ShownRoute) => (groupBy === 'all' ? 'all labels' : groupBy.join(', ') || 'nothing')
  const times = ({ groupWait, groupInterval, repeatInterval }: ShownRoute) =>
    `${lasting(groupWait)} / ${lasting(groupInterval)} / ${lasting(repeatInterval)}`
  return [
    ...(above && by(above) === by(route) ? [] : [`by ${by(route)}`]),
    ...(above && times(above) === times(route) ? [] : [times(route)]),
  ].join(' · ')
}

function RouteNode({ route, above, taking }: { route: ShownRoute; above?: ShownRoute; taking: ReadonlySet<string> }) {
  const { matchers, receiver, continues, routes, muteTimeIntervals, activeTimeIntervals, id } = route
  const sum = (of: 'alerts' | 'caught', node: ShownRoute): number =>
    node[of] + node.routes.reduce((total, child) => total + sum(of, child), 0)
  const isTaking = taking.has(id)
  return (
    <li className={isTaking ? 'takes' : ''}>
      <div
        className="route"
        aria-label={`Route ${matchers}`}
        {...line({
          Enter: () => (location.hash = linkTo('/', { filter: matchers === '{}' ? '' : matchers.slice(1, -1) })),
        })}
      >
        <code>{matchers === '{}' ? 'everything' : matchers}</code> → <strong>{receiver}</strong>
        {isTaking && <span className="badge state-resolved">takes it</span>}
        {continues && <span className="badge">continue</span>}
        {muteTimeIntervals.length > 0 && <span className="badge">muted in {muteTimeIntervals.join(', ')}</span>}
        {activeTimeIntervals.length > 0 && <span className="badge">active in {activeTimeIntervals.join(', ')}</span>}
        <span className="soft">{waysOf(route, above)}</span>
        <span className="route-counts">
          <Count of={sum('alerts', route)} /> now · <Count of={sum('caught', route)} /> in 24 h
        </span>
      </div>
      {routes.length > 0 && (
        <ul>
          {routes.map((child) => (
            <RouteNode key={child.id} route={child} above={route} taking={taking} />
          ))}
        </ul>
      )}
    </li>
  )
}

/** What is nothing is no more than there. */
function Count({ of }: { of: number }) {
  return of === 0 ? '0' : <b>{of.toLocaleString()}</b>
}

function Problems({ problems }: { problems: readonly Problem[] }) {
  return (
    <ul className="problems">
      {problems.map(({ file, line: row, column, path, message }) => (
        <li key={`${file}:${row}:${column} ${message}`}>
          <code>
            {file}:{row}:{column}
          </code>{' '}
          {path && <b>{path}: </b>}
          {message}
        </li>
      ))}
    </ul>
  )
}
