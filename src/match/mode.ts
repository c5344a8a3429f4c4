/** Which grammars read matchers, under the names of Alertmanager's feature flags. The default is both: `fallback`. */
export type MatcherMode = 'fallback' | 'classic-mode' | 'utf8-strict-mode'

const classicName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** Whether a label may have this name: any text but the empty one, in classic mode only `[a-zA-Z_][a-zA-Z0-9_]*`. */
export function isLabelName(name: string, mode: MatcherMode = 'fallback'): boolean {
  return mode === 'classic-mode' ? isClassicLabelName(name) : name !== '' && name.isWellFormed()
}

/** The rule that `match`, `match_re` and their like keep in every mode. */
export function isClassicLabelName(name: string): boolean {
  return classicName.test(name)
}
