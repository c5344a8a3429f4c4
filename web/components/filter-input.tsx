import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { MatcherError } from '../../src/match/error.ts'
import type { Matcher } from '../../src/match/matcher.ts'
import { parseMatchers } from '../../src/match/parse.ts'
import { RegexError } from '../../src/match/regex.ts'

/** What a text of matchers says, or what is wrong with it. */
export function readMatchers(text: string): { matchers: readonly Matcher[] } | { error: string } {
  if (text.trim() === '') return { matchers: [] }
  try {
    return { matchers: parseMatchers(text).matchers }
  } catch (error) {
    if (error instanceof MatcherError || error instanceof RegexError) return { error: error.message }
    throw error
  }
}

/** Label names and values that there are, for completion. */
export type Vocabulary = ReadonlyMap<string, ReadonlySet<string>>

export function vocabularyOf(sets: Iterable<Readonly<Record<string, string>>>): Vocabulary {
  const found = new Map<string, Set<string>>()
  for (const labels of sets) {
    for (const [name, value] of Object.entries(labels)) {
      const values = found.get(name)
      if (values) values.add(value)
      else found.set(name, new Set([value]))
    }
  }
  return found
}

/** What may stand at the cursor, and from where on it would. */
interface Completion {
  from: number
  words: string[]
}

const MOST = 12

function complete(before: string, vocabulary: Vocabulary): Completion | undefined {
  const atValue = /(?:^|[,{])\s*("?[^\s"=!~,{]+"?)\s*(?:=~|!~|!=|=)\s*("?)([^",]*)$/.exec(before)
  if (atValue) {
    const [, name = '', , begun = ''] = atValue
    const values = [...(vocabulary.get(name.replaceAll('"', '')) ?? [])].sort()
    const from = before.length - begun.length - (atValue[2]?.length ?? 0)
    return offer(values, begun, from, (value) => JSON.stringify(value))
  }
  const atName = /(?:^|[,{])\s*([^\s"=!~,{]*)$/.exec(before)
  if (!atName) return undefined
  const begun = atName[1] ?? ''
  return offer([...vocabulary.keys()].sort(), begun, before.length - begun.length, (name) => `${name}=`)
}

function offer(all: readonly string[], begun: string, from: number, write: (word: string) => string) {
  const fits = all.filter((word) => word.toLowerCase().includes(begun.toLowerCase()))
  const first = fits.filter((word) => word.toLowerCase().startsWith(begun.toLowerCase()))
  const words = [...new Set([...first, ...fits])].slice(0, MOST).map(write)
  return words.length === 0 ? undefined : { from, words }
}

/** A field that takes matchers, and completes names and values. */
export function FilterInput({
  value,
  onChange,
  vocabulary,
  label,
  placeholder = '',
  isMain = false,
}: {
  value: string
  onChange: (text: string) => void
  vocabulary: Vocabulary
  label: string
  placeholder?: string
  isMain?: boolean // the one that `/` leads to
}) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [cursor, setCursor] = useState<number>() // undefined: nothing is offered
  const [chosen, setChosen] = useState(-1)
  const reading = useMemo(() => readMatchers(value), [value])
  const offered = useMemo(
    () => (cursor === undefined ? undefined : complete(value.slice(0, cursor), vocabulary)),
    [value, cursor, vocabulary],
  )
  const caret = useRef<number>(undefined)
  useEffect(() => {
    if (caret.current === undefined) return
    input.current?.setSelectionRange(caret.current, caret.current)
    caret.current = undefined
  })

  function take(word: string): void {
    if (!offered || cursor === undefined) return
    const rest = value.slice(cursor).replace(/^[^,]*/, '')
    const text = value.slice(0, offered.from) + word
    onChange(text + rest)
    setChosen(-1)
    setCursor(word.endsWith('=') ? text.length : undefined)
    caret.current = text.length
    input.current?.focus()
  }

  function onKeyDown(event: React.KeyboardEvent): void {
    const count = offered?.words.length ?? 0
    if (event.key === 'ArrowDown' && count > 0) setChosen((chosen + 1) % count)
    else if (event.key === 'ArrowUp' && count > 0) setChosen((chosen - 1 + count) % count)
    else if ((event.key === 'Enter' || event.key === 'Tab') && offered && chosen >= 0) take(offered.words[chosen] ?? '')
    else if (event.key === 'Escape' && offered) setCursor(undefined)
    else if (event.key === 'Escape') input.current?.blur()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  const error = 'error' in reading && cursor === undefined ? reading.error : ''
  return (
    <div className="filter-input">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={offered !== undefined}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
        aria-invalid={error !== ''}
        aria-describedby={error === '' ? undefined : `${id}-error`}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        {...(isMain && { 'data-main-filter': '' })}
        onChange={(event) => {
          onChange(event.target.value)
          setCursor(event.target.selectionStart ?? event.target.value.length)
          setChosen(-1)
        }}
        onFocus={(event) => setCursor(event.target.selectionStart ?? event.target.value.length)}
        onBlur={() => setCursor(undefined)}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={`${label}: what fits`} hidden={!offered}>
        {offered?.words.map((word, i) => (
          <li
            key={word}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === chosen}
            onPointerDown={(event) => {
              event.preventDefault()
              take(word)
            }}
          >
            {word}
          </li>
        ))}
      </ul>
      {error !== '' && (
        <p id={`${id}-error`} className="field-error">
          {error}
        </p>
      )}
    </div>
  )
}
