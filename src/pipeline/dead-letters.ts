import type { DeadLetter, Resent } from '../store/dead-letters.ts'
import type { Deps } from './deps.ts'

/** What a person is to do about a notification that was given up, by its reason. */
const cures: Readonly<Record<string, string>> = {
  network: 'see whether the address is right and can be reached from here, then re-send',
  timeout: 'see whether the receiver answers in time, then re-send',
  'rate limited': 'send less there, or ask for a higher limit; then re-send',
  'server error': 'see whether the receiver works again, then re-send',
  'client error':
    'the receiver refused the message: see whether the URL is right, mend what it says is wrong in templates or settings, then re-send',
  unauthorised: 'mend the key, token or webhook in the routing file, reload, then re-send',
  rejected: 'mend the address or number in the routing file, reload, then re-send',
  configuration: 'mend the setting in the routing file, reload, then re-send',
  deadline: 'see why the destination does not take messages, then re-send if it still matters',
  unconfirmed: 'look at the receiver whether it arrived; re-send where it did not',
  quarantined: 'look into the log for why the engine ended; mend the template or report it, then re-send',
  'receiver removed':
    'its alerts are told by the route that takes them now; re-send only with the receiver back in the file',
}

/** What to do about a letter. */
export function cureOf({ reason }: Pick<DeadLetter, 'reason'>): string {
  return cures[reason] ?? 'see what its detail says, then re-send'
}

/** Owes a letter again and wakes its delivery, which tells what is true then. Said twice, it goes out once. */
export async function resend(letter: DeadLetter, { store, queue, clock, newId }: Deps): Promise<Resent> {
  const notification = newId()
  const at = clock.now()
  const resent = await store.deadLetters.retry(letter, notification, at)
  if (resent !== 'owed') return resent
  const { id: row, channel, integration, rank } = letter
  await queue.wake([{ row, channel, integration, notification, rank, turn: at, delay: 0 }])
  return resent
}
