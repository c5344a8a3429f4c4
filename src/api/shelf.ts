/** What one request's body takes of the memory that all of them may take. */
export interface Place {
  /** Asks for room for more. Throws what `refused` makes where there is none. */
  put(bytes: number): void
  /** The whole body is there: it is not given up for others any more. */
  complete(): void
  /** Gives all of it back; a second call does nothing. */
  clear(): void
}

export interface Shelf {
  /** How much is on it, bytes. */
  readonly used: number
  /** A place for a body; `giveUp` is called where it has to make room for one that came before. */
  open(giveUp: (why: Error) => void): Place
}

interface Ticket {
  bytes: number
  isComplete: boolean
  giveUp(why: Error): void
}

/**
 * Memory for the bodies of requests, so many bytes together. Where it is full the newest that is still being read gives way:
 * were it whoever asks next, under a flood none would ever be read to its end. One by itself is never too much.
 */
export function openShelf(most: () => number, refused: () => Error, changed: (used: number) => void): Shelf {
  const tickets = new Set<Ticket>() // in the order in which they came
  let used = 0

  function remove(ticket: Ticket): void {
    if (!tickets.delete(ticket)) return
    used -= ticket.bytes
    changed(used)
  }

  function newestReading(): Ticket | undefined {
    return [...tickets].reverse().find(({ isComplete }) => !isComplete)
  }

  return {
    get used() {
      return used
    },
    open(giveUp) {
      const mine: Ticket = { bytes: 0, isComplete: false, giveUp }
      tickets.add(mine)
      return {
        put(bytes) {
          while (used + bytes > most() && used > mine.bytes) {
            const newest = newestReading() ?? mine
            if (newest === mine) throw refused()
            remove(newest)
            newest.giveUp(refused())
          }
          if (!tickets.has(mine)) return
          mine.bytes += bytes
          used += bytes
          changed(used)
        },
        complete() {
          mine.isComplete = true
        },
        clear: () => remove(mine),
      }
    },
  }
}
