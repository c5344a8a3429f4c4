/** The one time of all replicas: Redis'. Between two looks it goes on by the monotonic clock, whatever the wall clock does. */
export interface Clock {
  now(): number // epoch ms
  /** How far the wall clock of this machine is before Redis', s; 0 before the first look. */
  skew(): number
  /** Looks at Redis' time. Rejects where it does not answer. */
  look(): Promise<void>
}

interface Sources {
  redis(): Promise<number> // epoch ms
  wall(): number // epoch ms
  mono(): number // ms since whenever, never backwards
}

/** A longer trip says too little of when Redis looked at its clock, ms. */
const LONGEST_TRIP = 500
/** A correction of up to so much backwards is waited for, so that time does not run backwards for it, ms. */
const WAITED_FOR = 1000

export function openClock({ redis, wall, mono }: Sources): Clock {
  let base: { redis: number; mono: number } | undefined
  let last = 0

  const ahead = () => (base ? base.redis + (mono() - base.mono) : wall())

  return {
    now() {
      const now = Math.floor(ahead())
      last = now < last && last - now <= WAITED_FOR ? last : now
      return last
    },
    skew() {
      return base ? (wall() - ahead()) / 1000 : 0
    },
    async look() {
      const asked = mono()
      const time = await redis()
      const answered = mono()
      if (base && answered - asked > LONGEST_TRIP) return
      base = { redis: time, mono: (asked + answered) / 2 }
    },
  }
}
