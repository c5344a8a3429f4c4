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
const LONGEST_TRIP = 200
/** A correction of up to so much backwards is made by going on at half the speed: time neither runs back nor stands still. ms */
const MADE_UP_FOR = 1000

export function openClock({ redis, wall, mono }: Sources): Clock {
  let base: { redis: number; mono: number; lead: number } | undefined

  const ahead = () => (base ? base.redis + (mono() - base.mono) : wall())
  const told = () => ahead() + (base ? Math.max(0, base.lead - (mono() - base.mono) / 2) : 0)

  return {
    now: () => Math.floor(told()),
    skew() {
      return base ? (wall() - ahead()) / 1000 : 0
    },
    async look() {
      const asked = mono()
      const time = await redis()
      const answered = mono()
      if (base && answered - asked > LONGEST_TRIP) return
      const next = time + (answered - asked) / 2
      const lead = base ? told() - next : 0
      base = { redis: next, mono: answered, lead: lead <= MADE_UP_FOR ? Math.max(0, lead) : 0 }
    },
  }
}
