import { useEffect } from 'react'
import { useNow } from '../components/time.tsx'
import { useResource } from './resource.ts'

/** What moves by itself, without an event that says so: read anew every few seconds. */
export function useFresh<T>(path: string, ...kinds: string[]) {
  const found = useResource<T>(path, ...kinds)
  const now = useNow(5000)
  const { again, readAt, error } = found
  useEffect(() => {
    if (readAt > 0 && now - readAt > 4000 && error?.status !== 404) again()
  }, [now, readAt, again, error])
  return found
}
