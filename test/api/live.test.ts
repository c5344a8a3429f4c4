import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, test } from 'vitest'
import type { Principal } from '../../src/access/principal.ts'
import { HttpError } from '../../src/api/error.ts'
import { live } from '../../src/api/live.ts'
import { setPrincipal } from '../../src/api/principals.ts'
import type { Told } from '../../src/view/feed.ts'

const vera: Principal = { name: 'vera', role: 'view', teams: undefined, by: 'session' }

/** A feed that says what the test says. */
function openNewsFeed() {
  const listeners = new Set<(told: Told) => void>()
  return {
    listeners,
    listen(listener: (told: Told) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tell: (told: Told) => listeners.forEach((listener) => listener(told)),
  }
}

/** Streams to vera; at each heartbeat she is what `identify` says. */
async function streaming(identify: () => Promise<Principal | undefined>) {
  const feed = openNewsFeed()
  const nobodysStore = {
    inbox: { list: async () => [] },
    audit: { list: async () => [] },
    incidents: { get: async () => undefined },
  }
  const app = express()
  app.use((request, _response, next) => {
    setPrincipal(request, vera)
    next()
  })
  const stopping = new AbortController()
  app.use(
    live(
      {
        deps: { store: nobodysStore, routing: { config: { defaultTeam: 'platform' } } },
        feed,
        stopping: stopping.signal,
        authenticator: { identify },
      },
      20,
    ),
  )
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/events`)
  return {
    feed,
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
  expect(stream.feed.listeners.size).toBe(0)
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
  stream.feed.tell({ place: '1-0,0-0', kind: 'incident', data: { id: '1' } })
  while (!heard.includes('{"id":"1"}')) heard += (await reader?.read())?.value ?? ''
  expect(stream.feed.listeners.size).toBe(1)
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
  stream.feed.tell({ place: '1-0,0-0', kind: 'inbox', data: inbox('data/critical') })
  stream.feed.tell({ place: '2-0,0-0', kind: 'inbox', data: inbox('quant/critical') })
  while (!heard.includes('quant/critical')) heard += (await reader?.read())?.value ?? ''
  expect(heard).not.toContain('data/critical')
})
