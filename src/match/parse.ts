import { parseClassic, parseClassicOne } from './classic.ts'
import { MatcherError } from './error.ts'
import { type Matcher, formatMatcher, formatMatchers } from './matcher.ts'
import type { MatcherMode } from './mode.ts'
import { RegexError } from './regex.ts'
import { parseUtf8, parseUtf8One } from './utf8.ts'

export { MatcherError }

export interface Parsed {
  matchers: Matcher[]
  warning?: string
}

/**
 * The matchers of one text, such as `severity="critical", team=~"a|b"`, by Alertmanager's rules (matcher/compat).
 * In fallback mode that is the UTF-8 grammar, and the classic one where only that takes it or the two disagree.
 * Throws MatcherError or RegexError.
 */
export function parseMatchers(text: string, mode: MatcherMode = 'fallback'): Parsed {
  return parse(text, mode, { utf8: parseUtf8, classic: parseClassic, format: formatMatchers })
}

/** The one matcher of an API filter or a command's argument. Throws MatcherError or RegexError. */
export function parseMatcher(text: string, mode: MatcherMode = 'fallback'): { matcher: Matcher; warning?: string } {
  if (mode !== 'classic-mode' && (text.startsWith('{') || text.endsWith('}'))) {
    throw new MatcherError(text, 'unexpected open or close brace', 'a single matcher has none; quote one in a value')
  }
  const { matchers, warning } = parse(text, mode, {
    utf8: (given) => [parseUtf8One(given)],
    classic: (given) => [parseClassicOne(given)],
    format: (one) => one.map(formatMatcher).join(','),
  })
  const [matcher] = matchers
  if (!matcher) throw new Error(`no matcher and no error for ${JSON.stringify(text)}`)
  return { matcher, ...(warning !== undefined && { warning }) }
}

/** The two ways to read a text, and how to write what was meant so that both read it the same. */
interface Grammars {
  utf8: (text: string) => Matcher[]
  classic: (text: string) => Matcher[]
  format: (matchers: readonly Matcher[]) => string
}

function parse(text: string, mode: MatcherMode, grammars: Grammars): Parsed {
  switch (mode) {
    case 'fallback':
      return fallback(text, grammars)
    case 'classic-mode':
      return { matchers: grammars.classic(text) }
    case 'utf8-strict-mode':
      return { matchers: strict(text, grammars) }
    default:
      return mode satisfies never
  }
}

function fallback(text: string, { utf8, classic, format }: Grammars): Parsed {
  const modern = attempt(() => utf8(text))
  const old = attempt(() => classic(text))
  if ('error' in old) {
    if (!('error' in modern)) return modern
    throw old.error instanceof RegexError ? old.error : modern.error
  }
  const kept = format(old.matchers)
  if ('error' in modern) {
    return { matchers: old.matchers, warning: `${text} is only read by the classic rules; write it as ${kept}` }
  }
  const other = format(modern.matchers)
  if (other === kept) return modern
  const warning = `${text} means two things: ${kept} by the classic rules, which count, and ${other} by the new ones; write it as ${kept}`
  return { matchers: old.matchers, warning }
}

/** What classic rules would have taken can be told how to be written. */
function strict(text: string, { utf8, classic, format }: Grammars): Matcher[] {
  const modern = attempt(() => utf8(text))
  if (!('error' in modern)) return modern.matchers
  const old = attempt(() => classic(text))
  if ('error' in old || !(modern.error instanceof MatcherError)) throw modern.error
  throw modern.error.withHint(`write it as ${format(old.matchers)}`)
}

function attempt(run: () => Matcher[]): { matchers: Matcher[] } | { error: unknown } {
  try {
    return { matchers: run() }
  } catch (error) {
    if (error instanceof MatcherError || error instanceof RegexError) return { error }
    throw error
  }
}
