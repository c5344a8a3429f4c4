/** Runs something that a signal ends after some ms, or when the engine stops. */
export async function within<T>(
  ms: number,
  stopping: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // by hand: a signal made of `stopping` by AbortSignal.any would be kept for as long as that
  const deadline = new AbortController()
  const abort = () => deadline.abort()
  const timer = setTimeout(abort, ms)
  stopping.addEventListener('abort', abort)
  try {
    return await run(deadline.signal)
  } finally {
    clearTimeout(timer)
    stopping.removeEventListener('abort', abort)
  }
}
