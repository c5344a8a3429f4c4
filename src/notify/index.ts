import { email } from './email.ts'
import type { Channel } from './notifier.ts'
import { pagerduty } from './pagerduty.ts'
import { slack } from './slack.ts'
import { sms } from './sms.ts'
import { webhook } from './webhook.ts'

/** Every way out, in the order in which they are listed. */
export const channels: readonly Channel[] = [slack, pagerduty, email, sms, webhook]
