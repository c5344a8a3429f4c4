import { z } from 'zod'
import type { Deps } from '../../pipeline/deps.ts'
import { parseJson } from '../body.ts'
import { settle } from './settle.ts'

const action = z.object({ value: z.string().optional() })
const person = z.object({ id: z.string(), username: z.string().optional(), name: z.string().optional() })
/** A button of a message: https://api.slack.com/reference/interaction-payloads/block-actions, or of an older attachment. */
const interaction = z.object({
  type: z.enum(['block_actions', 'interactive_message']),
  user: person,
  callback_id: z.string().optional(),
  actions: z.array(action).min(1),
})

/** Acknowledges the incident that a button names, `ack:<id>`. Undefined where the button is another's. */
export async function slackInteraction(body: Buffer, deps: Deps): Promise<string | undefined> {
  const payload = new URLSearchParams(body.toString()).get('payload')
  const parsed = interaction.safeParse(payload === null ? undefined : parseJson(Buffer.from(payload)))
  if (!parsed.success) return undefined
  const { actions, callback_id, user } = parsed.data
  const named = [...actions.map(({ value }) => value), callback_id]
  const id = named.flatMap((one) => /^ack:([\w-]{1,64})$/.exec(one ?? '')?.[1] ?? [])[0]
  if (id === undefined) return undefined
  const name = (user.username ?? user.name ?? user.id).slice(0, 100)
  return settle(id, 'acknowledged', { name: `${name} (Slack)`, from: 'slack' }, deps)
}
