/** A text that is no matcher: what is wrong with it and where, then how to mend it. */
export class MatcherError extends Error {
  override readonly name = 'MatcherError'
  readonly #text: string
  readonly #fault: string

  constructor(text: string, fault: string, hint?: string) {
    super(`bad matcher format: ${text}: ${fault}${hint === undefined ? '' : `; ${hint}`}`)
    this.#text = text
    this.#fault = fault
  }

  /** The same, with better advice. */
  withHint(hint: string): MatcherError {
    return new MatcherError(this.#text, this.#fault, hint)
  }
}

/** A pattern that is no RE2 regex, in RE2's words, or one that costs too much. */
export class RegexError extends Error {
  override readonly name = 'RegexError'
}
