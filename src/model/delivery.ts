/** What a destination takes at the most. */
export interface Budget {
  burst: number // tokens that may be spent at once
  refill: number // ms a token; 0: any rate
  inFlight: number // attempts at a time; a destination that answers well gets as many, one that does not two
  digestAbove: number // so many that wait, the gravest apart, are told in one message; 0: never
}

/** What is done about an attempt whose fate is unknown: send again and say so, ask the channel first, or never send again. */
export const unconfirmedPolicies = ['resend', 'reconcile', 'skip'] as const
export type UnconfirmedPolicy = (typeof unconfirmedPolicies)[number]
