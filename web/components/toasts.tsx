import { ApiError } from '../data/api.ts'
import { openValue } from '../data/value.ts'

interface Toast {
  id: number
  text: string
  isError: boolean
}

const toasts = openValue<readonly Toast[]>([])
const SHOWN_FOR = 6000
let last = 0

/** Says something for some seconds, read out to who cannot see it. */
export function say(text: string, isError = false): void {
  const id = (last += 1)
  toasts.set([...toasts.get().slice(-3), { id, text, isError }])
  setTimeout(() => toasts.set(toasts.get().filter((toast) => toast.id !== id)), SHOWN_FOR)
}

/** Does something and says that it was done, or why not. */
export async function attempt(doing: Promise<unknown>, done: string): Promise<boolean> {
  try {
    await doing
    say(done)
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    say(error.message, true)
    return false
  }
}

export function Toasts() {
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.use().map(({ id, text, isError }) => (
        <p key={id} className={isError ? 'toast error' : 'toast'}>
          {text}
        </p>
      ))}
    </div>
  )
}

export async function copyLink(address: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(address)
    say('Link copied')
  } catch {
    say(address) // without TLS no page may write there
  }
}
