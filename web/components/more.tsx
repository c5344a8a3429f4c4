import { type ReactNode, useEffect, useRef, useState } from 'react'

/** The first of many; more of them as their end comes into sight, so that thousands cost no more than what is looked at. */
export function Growing<T>({
  items,
  step,
  children,
}: {
  items: readonly T[]
  step: number
  children: (item: T) => ReactNode
}) {
  const [shown, setShown] = useState(step)
  const end = useRef<HTMLButtonElement>(null)
  const left = items.length - shown
  useEffect(() => {
    if (!end.current) return
    const watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && setShown((count) => count + step), {
      rootMargin: '600px',
    })
    watch.observe(end.current)
    return () => watch.disconnect()
  }, [step, left > 0, shown])
  return (
    <>
      {items.slice(0, shown).map(children)}
      {left > 0 && (
        <li className="more">
          <button ref={end} type="button" onClick={() => setShown(shown + step)}>
            {left.toLocaleString()} more
          </button>
        </li>
      )}
    </>
  )
}
