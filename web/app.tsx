import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { Dialog } from './components/dialog.tsx'
import { Keys } from './components/keys.tsx'
import { SilenceDialog } from './components/silence-dialog.tsx'
import { Empty, Failed, Loading } from './components/states.tsx'
import { lasting, useNow } from './components/time.tsx'
import { Toasts } from './components/toasts.tsx'
import { ApiError, OURS, get, send, whenSignedOut } from './data/api.ts'
import { fromAlertmanager, linkTo, usePlace } from './data/place.ts'
import { ownName, rememberName } from './data/own-name.ts'
import { type Session, SessionContext, useSession } from './data/session.ts'
import { connection, startStream } from './data/stream.ts'
import { theme, toggleTheme } from './data/theme.ts'
import { HealthPage } from './pages/health.tsx'
import { Inbox } from './pages/inbox.tsx'
import { IncidentPage } from './pages/incident.tsx'
import { Incidents } from './pages/incidents.tsx'
import { Notifications } from './pages/notifications.tsx'
import { Now } from './pages/now.tsx'
import { Routing } from './pages/routing.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { Silences } from './pages/silences.tsx'
import { WhyPage } from './pages/why.tsx'

const pages = [
  ['/', 'Now'],
  ['/notifications', 'Notifications'],
  ['/silences', 'Silences'],
  ['/why', 'Why'],
  ['/routing', 'Routing'],
  ['/health', 'Health'],
  ['/inbox', 'Inbox'],
] as const

export function App() {
  const [session, setSession] = useState<Session | 'nobody' | ApiError>()
  const ask = useCallback(async () => {
    try {
      setSession(await get<Session>(`${OURS}/session`))
      startStream()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setSession(error.status === 401 ? 'nobody' : error)
    }
  }, [])
  useEffect(() => {
    whenSignedOut(() => setSession('nobody'))
    void ask()
  }, [ask])
  if (session === undefined) return <Loading />
  if (session === 'nobody') return <SignIn onDone={() => location.reload()} /> // nothing that another has read stays behind
  if (session instanceof ApiError) return <Failed error={session} again={() => void ask()} />
  return (
    <SessionContext value={session}>
      <Header />
      <Stale />
      <main id="content">
        <CurrentPage />
      </main>
      <SilenceDialog />
      <Keys />
      <Toasts />
    </SessionContext>
  )
}

function CurrentPage(): ReactNode {
  const place = usePlace()
  const { path } = place
  const elsewhere = fromAlertmanager(place)
  useEffect(() => {
    if (elsewhere !== undefined) location.replace(elsewhere)
  }, [elsewhere])
  useEffect(() => {
    window.scrollTo(0, 0)
  }, [path])
  const incident = /^\/incidents\/(.+)$/.exec(path)?.[1]
  const title = pages.find(([of]) => of === path)?.[1] ?? (path.startsWith('/incidents') ? 'Incidents' : 'Tocsin')
  useEffect(() => {
    document.title = `${title} · Tocsin`
  }, [title])
  if (elsewhere !== undefined) return null
  if (incident !== undefined) return <IncidentPage key={incident} id={decodeURIComponent(incident)} />
  switch (path) {
    case '/':
      return <Now />
    case '/incidents':
      return <Incidents />
    case '/notifications':
      return <Notifications />
    case '/silences':
      return <Silences />
    case '/why':
      return <WhyPage />
    case '/routing':
      return <Routing />
    case '/health':
      return <HealthPage />
    case '/inbox':
      return <Inbox />
    default:
      return (
        <Empty title="There is no such page.">
          <a href={linkTo('/')}>To what burns now</a>
        </Empty>
      )
  }
}

function Header() {
  const { path } = usePlace()
  const { sandbox } = useSession()
  const { scheme } = theme.use()
  const [isOpen, setIsOpen] = useState(false)
  useEffect(() => setIsOpen(false), [path])
  return (
    <header className="top">
      <a className="skip" href="#content" onClick={skip}>
        To the content
      </a>
      <div className="bar">
        <a className="brand" href={linkTo('/')}>
          Tocsin
        </a>
        <nav aria-label="Pages" className={isOpen ? 'is-open' : ''}>
          {pages
            .filter(([of]) => of !== '/inbox' || sandbox)
            .map(([of, name]) => (
              <a
                key={of}
                href={linkTo(of)}
                aria-current={path === of || (of === '/' && path.startsWith('/incidents')) ? 'page' : undefined}
              >
                {name}
              </a>
            ))}
        </nav>
        <div className="bar-side">
          <ConnectionState />
          <Who />
          <button
            type="button"
            className="quiet"
            aria-label={scheme === 'dark' ? 'Light colours' : 'Dark colours'}
            onClick={toggleTheme}
          >
            <span aria-hidden="true">{scheme === 'dark' ? '☀' : '☾'}</span>
          </button>
          <button
            type="button"
            className="quiet menu"
            aria-expanded={isOpen}
            aria-label="Menu"
            onClick={() => setIsOpen(!isOpen)}
          >
            <span aria-hidden="true">☰</span>
          </button>
        </div>
      </div>
    </header>
  )
}

/** The address behind `#` says which page it is, so a link cannot lead to a part of one. */
function skip(event: React.MouseEvent): void {
  event.preventDefault()
  const content = document.querySelector<HTMLElement>('#content')
  content?.setAttribute('tabindex', '-1')
  content?.focus()
}

function ConnectionState() {
  const { state } = connection.use()
  return (
    <span className={`connection ${state}`} role="status">
      {state === 'live' ? 'live' : state === 'lost' ? 'reconnecting' : 'connecting'}
    </span>
  )
}

/** Says that what is shown may be old. */
function Stale() {
  const { state, since } = connection.use()
  const now = useNow(1000)
  if (state !== 'lost' || now - since < 2000) return null
  return (
    <p className="stale" role="alert">
      Tocsin, or its Redis, has not answered for {lasting(now - since)}. What is shown is from before; it is caught up
      as soon as there is an answer.
    </p>
  )
}

function Who() {
  const { name, by } = useSession()
  const [isAsking, setIsAsking] = useState(false)
  const [own, setOwn] = useState(ownName)
  if (name !== '') {
    const signOut = async () => {
      await send('DELETE', `${OURS}/session`).catch(() => {})
      location.reload()
    }
    return (
      <span className="who">
        {name}
        {by === 'session' && (
          <button type="button" className="quiet" onClick={() => void signOut()}>
            Sign out
          </button>
        )}
      </span>
    )
  }
  return (
    <>
      <button type="button" className="quiet who" onClick={() => setIsAsking(true)}>
        {own || 'anonymous'}
      </button>
      {isAsking && (
        <Dialog title="Who are you?" onClose={() => setIsAsking(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault()
              rememberName(own)
              setIsAsking(false)
            }}
          >
            <label className="field">
              <span>Nobody has to sign in here. What you do is written down under this name:</span>
              <input type="text" value={own} maxLength={200} onChange={(event) => setOwn(event.target.value)} />
            </label>
            <div className="actions">
              <button type="submit" className="main">
                Save
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  )
}
