/** What of an alert rarely changes, as it is kept, and a digest of it and of its start as text. */
export interface Content {
  body: string
  digest: string
}

/** What of an alert is the same when it comes again with another end. */
export interface Kept {
  readonly fingerprint: string
  readonly startsAt: number // epoch ms, of 13 digits
  readonly startsText: string // '-' where it is what the instant prints as
  said: string // the digest of what it says, and the routing by which it is in its groups
  rules: string // the version of the inhibitions by which it is no source
  written: string // what this replica wrote of its times behind the start; '' where it did not
  endsAt: number // by that, epoch ms
}

/** An alert that came again. */
export interface Again {
  kept: Kept
  endsAt: number
  endsText: string | undefined // where it differs from what the instant prints as
}
