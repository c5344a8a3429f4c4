import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { HttpError } from '../../src/api/error.ts'
import { live } from '../../src/api/live.ts'
import { setPrincipal } from '../../src/api/principals.ts'
import { openEvents } from '../../src/record/events.ts'

const vera: Principal = { name: 'vera', role: 'view', teams: undefined, by: 'session' }

/** Streams to vera; at each heartbeat she is what `identify` says. */
async function streaming(identify: () => Promise<Principal | undefined>) {
  const events = openEvents()
  const nobodysStore = {
    inbox: { list: async () => [] },
    silences: { audit: async () => [] },
    incidents: { get: async () => undefined },
  }
  const app = express()
  app.use((request, _response, next) => {
    setPrincipal(request, vera)
    next()
  })
  const stopping = new AbortController()
  app.use(live({ deps: { store: nobodysStore, events }, stopping: stopping.signal, authenticator: { identify } }, 20))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/events`)
  return {
    events,
    answer,
    [Symbol.dispose]() {
      stopping.abort()
      server.close()
    },
  }
}

test.each<[string, () => Promise<Principal | undefined>]>([
  ['are nobody any more: logged out, or their token is gone', async () => undefined],
  ['may no longer view', async () => ({ ...vera, role: 'ingest' })],
  ['would have to wait to be let in', async () => Promise.reject(new HttpError(429, 'wait'))],
])('a stream ends for those who %s', async (_name, identify) => {
  using stream = await streaming(identify)
  expect(await stream.answer.text()).toMatch(/^retry: 1000\n\n/)
  expect(stream.events.listeners).toBe(0)
})

test('a stream goes on while they are let in, and while nobody can say', async () => {
  let asked = 0
  using stream = await streaming(async () => {
    asked += 1
    if (asked % 2 === 0) throw new HttpError(503, 'the store does not answer now')
    return vera
  })
  const reader = stream.answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let heard = ''
  while (asked < 5) heard += (await reader?.read())?.value ?? ''
  stream.events.publish('incident', { id: '1' })
  while (!heard.includes('{"id":"1"}')) heard += (await reader?.read())?.value ?? ''
  expect(stream.events.listeners).toBe(1)
})

test('of which team they are is asked anew, too', async () => {
  using stream = await streaming(async () => ({ ...vera, teams: ['quant'] }))
  const reader = stream.answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  const inbox = (receiver: string) => ({
    id: receiver,
    notificationId: receiver,
    channel: 'email',
    receiver,
    integration: `${receiver}/email`,
    to: 'a@example.com',
    at: '2026-01-01T00:00:00Z',
    status: 'firing',
    title: 'A',
    text: '',
    attempt: 1,
    possibleRepeat: false,
    payload: {},
  })
  let heard = ''
  while (heard.split('still here').length < 3) heard += (await reader?.read())?.value ?? ''
  stream.events.publish('inbox', inbox('data/critical'))
  stream.events.publish('inbox', inbox('quant/critical'))
  while (!heard.includes('quant/critical')) heard += (await reader?.read())?.value ?? ''
  expect(heard).not.toContain('data/critical')
})
