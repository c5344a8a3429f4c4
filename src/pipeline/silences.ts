import { type Silence, type SilenceIndex, indexSilences, stateOf } from '../suppress/silence.ts'
import type { Metrics } from '../record/metrics.ts'
import type { Store } from '../store/store.ts'
import type { Versions } from '../store/versions.ts'

/** The silences of the store, compiled: held against the store's version before each use, so that no replica is late. */
export interface Silences {
  /** Reads what changed since; rejects where Redis does not answer. */
  freshen(versions: Versions): Promise<void>
  /** Moves with each change, so that what was worked out before can be kept. */
  readonly version: string
  /** All that are kept, expired ones too. */
  all(): Iterable<Silence>
  get(id: string): Silence | undefined
  /** Those that fit, in whatever state but expired since long. */
  matching: SilenceIndex['matching']
}

/** `retention`: how long an expired silence is kept, ms. */
export function openSilences(store: Store, clock: { now(): number }, retention: number, metrics: Metrics): Silences {
  let known = new Map<string, Silence>()
  let epoch = ''
  let version = 0
  let index = indexSilences([])

  async function freshen(now: Versions): Promise<void> {
    if (now.epoch === epoch && now.silences === version) return
    const since = now.epoch === epoch && now.silences > version ? version : 0
    const changed = await store.silences.changedSince(since)
    // another call may have been quicker
    if (now.epoch === epoch && now.silences < version) return
    const at = clock.now()
    const kept = since === 0 ? [] : [...known].filter(([, { endsAt }]) => endsAt + retention > at)
    known = new Map([...kept, ...changed.map((silence): [string, Silence] => [silence.id, silence])])
    ;[epoch, version] = [now.epoch, now.silences]
    index = indexSilences([...known.values()].filter((silence) => stateOf(silence, at) !== 'expired'))
  }

  return {
    async freshen(now) {
      metrics.silenceQueries.inc()
      const done = metrics.silenceQueryDuration.startTimer()
      try {
        await freshen(now)
      } catch (error) {
        metrics.silenceQueryErrors.inc()
        throw error
      } finally {
        done()
      }
    },
    get version() {
      return `${epoch} ${version}`
    },
    *all() {
      const at = clock.now()
      for (const silence of known.values()) if (silence.endsAt + retention > at) yield silence
    },
    get(id) {
      const silence = known.get(id)
      return silence && silence.endsAt + retention > clock.now() ? silence : undefined
    },
    matching: (labels) => index.matching(labels),
  }
}

/** The ids of those among silences that hold at an instant. */
export function activeIds(silences: readonly Silence[], at: number): string[] {
  return silences.filter((silence) => stateOf(silence, at) === 'active').map(({ id }) => id)
}
