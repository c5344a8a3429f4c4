/** One test of one label. An absent label counts as the empty text. */
export interface Matcher {
  readonly name: string
  readonly value: string
  readonly isRegex: boolean
  readonly isEqual: boolean
  /** Whether a label of this value passes. */
  readonly test: (value: string) => boolean
}
