import { openValue } from './value.ts'

type Choice = 'system' | 'light' | 'dark'

const NAME = 'tocsin-theme'
const isDark = matchMedia('(prefers-color-scheme: dark)')

function read(choice: Choice): { choice: Choice; scheme: 'light' | 'dark' } {
  return { choice, scheme: choice === 'system' ? (isDark.matches ? 'dark' : 'light') : choice }
}

function chosen(): Choice {
  const kept = localStorage.getItem(NAME)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

export const theme = openValue(read(chosen()))

function apply(choice: Choice): void {
  const now = read(choice)
  document.documentElement.dataset['theme'] = now.scheme
  theme.set(now)
}

apply(chosen())
isDark.addEventListener('change', () => apply(chosen()))

/** The other of light and dark; remembered on this machine. */
export function toggleTheme(): void {
  const next = theme.get().scheme === 'dark' ? 'light' : 'dark'
  localStorage.setItem(NAME, next)
  apply(next)
}
