/** What of an alert rarely changes, as it is kept, and a digest of it and of its start as text. */
export interface Content {
  body: string
  digest: string
}

/** What of an alert is the same when it comes again with another end, as `repeat.lua` wants it. */
export interface Kept {
  fingerprint: string
  startsAt: number // epoch ms, of 13 digits
  head: string // fingerprint and start
  startsText: string
  tail: string // digest and routing
  rules: string // the version of the inhibitions by which it is no source
}

/** An alert that came again, with an end of 13 digits. */
export interface Again {
  kept: Kept
  endsAt: number
  endsText: string | undefined // where it differs from what the instant prints as
}
