import { useMemo, useSyncExternalStore } from 'react'

/** Where the reader is: the part of the address behind `#`, so that any route prefix will do. */
export interface Place {
  path: string // '/incidents/7'
  params: URLSearchParams
}

function follow(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(follow, () => location.hash)
  return useMemo(() => {
    const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s)
    return { path: path || '/', params: new URLSearchParams(query) }
  }, [hash])
}

export function linkTo(path: string, params: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '')).toString()
  return `#${path}${query && `?${query}`}`
}

/** Notes something in the address, without a step to go back. */
export function note({ path, params }: Place, name: string, value: string): void {
  const next = new URLSearchParams(params)
  if (value === '') next.delete(name)
  else next.set(name, value)
  const query = next.toString()
  history.replaceState(null, '', `#${path}${query && `?${query}`}`)
  window.dispatchEvent(new HashChangeEvent('hashchange'))
}

/** The whole address of a place, to hand on. */
export function addressOf(hash: string): string {
  return new URL(hash, location.href).href
}

/** Where an address of Alertmanager's page, as messages and bookmarks have them, leads here; undefined for another. */
export function fromAlertmanager({ path, params }: Place): string | undefined {
  const filter = (params.get('filter') ?? '').trim().replace(/^\{(.*)\}$/s, '$1')
  if (path === '/alerts') return linkTo('/', { filter, receiver: params.get('receiver') ?? '' })
  const silence = /^\/silences\/([^/]+)/.exec(path)?.[1]
  if (silence === 'new') return linkTo('/silences', { new: filter })
  return silence && linkTo('/silences', { text: decodeURIComponent(silence) })
}
