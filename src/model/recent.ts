/** A map that forgets: of the entries that were read or written last it holds at least half of `most`, and never more than `most`. */
export interface Recent<K, V> {
  get(key: K): V | undefined
  set(key: K, value: V): void
  delete(key: K): void
}

/** The older half goes when it is full: a map that lets go of its oldest entry one by one walks over all that it let go of. */
export function openRecent<K, V>(most: number): Recent<K, V> {
  let recent = new Map<K, V>()
  let older = new Map<K, V>()

  function set(key: K, value: V): void {
    if (recent.size >= most / 2 && !recent.has(key)) {
      older = recent
      recent = new Map()
    }
    recent.set(key, value)
  }

  return {
    get(key) {
      const value = recent.get(key)
      if (value !== undefined) return value
      const before = older.get(key)
      if (before !== undefined) set(key, before)
      return before
    },
    set,
    delete(key) {
      recent.delete(key)
      older.delete(key)
    },
  }
}
