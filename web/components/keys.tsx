import { useEffect, useState } from 'react'
import { Dialog } from './dialog.tsx'

const keys = [
  ['j / k', 'to the next or previous line'],
  ['Enter', 'open the line, or show more of it'],
  ['a', 'acknowledge the incident'],
  ['s', 'silence this; among silences, make one'],
  ['/', 'to the filter'],
  ['?', 'these keys'],
  ['Esc', 'close, or leave the filter'],
] as const

/** Moves through the lines of a page, to its filter and to the list of keys. What a line does with a key is its own. */
export function Keys() {
  const [isShown, setIsShown] = useState(false)
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (document.querySelector('dialog[open]')) return
      if (isTyping(event.target)) {
        if (event.key !== 'Escape') return
        event.target.blur()
      } else if (event.key === 'j') move(1)
      else if (event.key === 'k') move(-1)
      else if (event.key === '/') document.querySelector<HTMLElement>('[data-main-filter]')?.focus()
      else if (event.key === '?') setIsShown(true)
      else if (event.isTrusted) return forward(event.key)
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [])
  if (!isShown) return null
  return (
    <Dialog title="Keys" onClose={() => setIsShown(false)}>
      <dl className="keys">
        {keys.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

/** A key that no line has taken is for what the page as a whole is about, if that is one thing. */
function forward(key: string): void {
  document.querySelector('[data-whole]')?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
}

function isTyping(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')
}

function move(by: 1 | -1): void {
  const lines = [...document.querySelectorAll<HTMLElement>('[data-line]')]
  const focused = document.activeElement?.closest('[data-line]')
  const at = lines.findIndex((one) => one === focused)
  const next = lines[at < 0 ? (by > 0 ? 0 : lines.length - 1) : Math.min(lines.length - 1, Math.max(0, at + by))]
  next?.focus({ preventScroll: true })
  next?.scrollIntoView({ block: 'nearest' })
}

/** What makes something a line: j and k reach it, and it has keys of its own. */
export function line(actions: Readonly<Record<string, (() => void) | undefined>>) {
  return {
    'data-line': '',
    tabIndex: -1,
    onKeyDown(event: React.KeyboardEvent<HTMLElement>): void {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      // a button within the line does what it does
      if (event.key === 'Enter' && event.target !== event.currentTarget) return
      const action = actions[event.key]
      if (!action) return
      event.preventDefault()
      event.stopPropagation()
      action()
    },
  }
}

/** What makes something what the page as a whole is about: keys that no line has taken are for it. */
export function whole(actions: Parameters<typeof line>[0]) {
  return { 'data-whole': '', onKeyDown: line(actions).onKeyDown }
}
