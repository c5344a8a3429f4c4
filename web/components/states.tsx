import type { ReactNode } from 'react'
import type { ApiError } from '../data/api.ts'
import type { Resource } from '../data/resource.ts'
import { connection } from '../data/stream.ts'

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** `isOlderShown`: what was read before stands below; while the connection is lost the page as a whole says so already. */
export function Failed({
  error,
  again,
  isOlderShown = false,
}: {
  error: ApiError
  again?: (() => void) | undefined
  isOlderShown?: boolean
}) {
  const { state } = connection.use()
  if (isOlderShown && state === 'lost') return null
  return (
    <div className="failed" role="alert">
      <p>
        <strong>{error.status === 403 ? 'Not yours to see.' : 'This could not be read.'}</strong> {error.message}
      </p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Loading() {
  return (
    <div className="loading" role="status" aria-label="Loading">
      <span />
      <span />
      <span />
    </div>
  )
}

/** What was read; above it what went wrong when it was last read anew. */
export function Read<T>({
  of,
  children,
}: {
  of: Resource<T> & { again: () => void }
  children: (data: T) => ReactNode
}) {
  const { data, error, again } = of
  return (
    <>
      {error && <Failed error={error} again={again} isOlderShown={data !== undefined} />}
      {data === undefined ? !error && <Loading /> : children(data)}
    </>
  )
}
