import { expect, test } from 'vitest'
import type { Channel, Notifier, Outcome } from '../../src/notify/notifier.ts'
import { type Answer, openHttpSink } from '../helpers/http-sink.ts'
import { notificationOf } from '../helpers/notification.ts'

export interface Case {
  name: string
  answer: Answer
  outcome: Partial<Outcome> & { reason?: string; retryAfter?: number }
}

/** An adapter for settings as a file gives them; what is wrong with them fails the test. */
export function open(channel: Channel, settings: Record<string, unknown>): Notifier {
  const reading = channel.read(settings)
  if (!reading.ok) throw new Error(JSON.stringify(reading.issues))
  return reading.open()
}

/** What every channel over HTTP must do; `settings` may hold `s3cret`, which must show nowhere. */
export function contract(
  channel: Channel,
  settings: (url: string) => Record<string, unknown>,
  cases: readonly Case[],
): void {
  test.each(cases)('$name', async ({ answer, outcome }) => {
    await using sink = await openHttpSink(answer)
    const giveUp = new AbortController()
    if (answer.fault === 'hang') void sink.receives(1).then(() => giveUp.abort()) // taken, and never answered
    const notifier = open(channel, settings(sink.url))
    const message = notifier.compose(notificationOf())
    const result = await notifier.send(message, giveUp.signal)
    notifier.close?.()

    expect(result).toMatchObject(outcome)
    expect(sink.requests).toHaveLength(1) // to try again is the pipeline's business
    expect(JSON.stringify([result, message])).not.toContain('s3cret')
  })

  // Alertmanager has no sms_configs whose settings to keep
  test.skipIf(channel.name === 'sms')('its timeout is obeyed', async () => {
    await using sink = await openHttpSink({ fault: 'hang' })
    const notifier = open(channel, { ...settings(sink.url), timeout: '50ms' })
    const result = await notifier.send(notifier.compose(notificationOf()), new AbortController().signal)
    expect(result).toMatchObject({ state: 'unknown' })
  })

  test('nobody listens: nothing was sent', async () => {
    const sink = await openHttpSink()
    await sink[Symbol.asyncDispose]()
    const notifier = open(channel, settings(sink.url))
    const result = await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
    expect(result).toMatchObject({ state: 'failed', reason: 'network', detail: 'ECONNREFUSED' })
  })

  test('two messages are two requests', async () => {
    const [works] = cases
    await using sink = await openHttpSink(works?.answer)
    const notifier = open(channel, settings(sink.url))
    for (let i = 0; i < 2; i++) {
      const result = await notifier.send(notifier.compose(notificationOf()), AbortSignal.timeout(10_000))
      expect(result.state).toBe('delivered')
    }
    expect(sink.requests).toHaveLength(2)
  })
}
