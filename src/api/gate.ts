/** Lets so much work through at once; what comes more waits in its order, but not for long. */
export interface Gate {
  /** The weight of what waits. */
  readonly backlog: number
  /** Runs it when its turn comes. Throws what `refused` makes where that takes too long. */
  pass<T>(weight: number, run: () => Promise<T>): Promise<T>
}

/** `patience`: how long to wait for a turn, ms. Work that weighs more than all runs by itself. */
export function openGate(most: number, patience: number, refused: () => Error): Gate {
  const waiting = new Set<{ weight: number; start(): void }>() // in the order in which they came
  let inside = 0
  let backlog = 0

  function letIn(): void {
    for (const next of waiting) {
      if (inside > 0 && inside + next.weight > most) return
      waiting.delete(next)
      backlog -= next.weight
      inside += next.weight
      next.start()
    }
  }

  return {
    get backlog() {
      return backlog
    },
    async pass(weight, run) {
      if (waiting.size === 0 && (inside === 0 || inside + weight <= most)) inside += weight
      else await turn(weight)
      try {
        return await run()
      } finally {
        inside -= weight
        letIn()
      }
    },
  }

  function turn(weight: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const me = {
        weight,
        start() {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        waiting.delete(me)
        backlog -= weight
        reject(refused())
        letIn() // what stood behind it may be lighter
      }, patience)
      waiting.add(me)
      backlog += weight
    })
  }
}
