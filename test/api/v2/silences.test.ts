import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, eventually, startEngine } from '../../helpers/engine.ts'
import { type TestRedis, openRedis } from '../../helpers/redis.ts'

const config = join(import.meta.dirname, '../../vectors/api-config.yml')
const HOUR = 3_600_000

interface Silence {
  id: string
  status: { state: string }
  startsAt: string
  endsAt: string
  updatedAt: string
  comment: string
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[]
}

let redis: TestRedis
let engine: Engine
beforeAll(async () => {
  redis = await openRedis()
  engine = await startEngine({ config, redis: redis.socket })
})
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
})

/** A silence of a label value that no other test has, from now unless told otherwise. */
function draft(more: Record<string, unknown> = {}, value = randomUUID()) {
  return {
    matchers: [
      { name: 'z', value, isRegex: false, isEqual: true },
      { name: 'a', value: 'x|y', isRegex: true, isEqual: false },
    ],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + HOUR).toISOString(),
    createdBy: 'alice',
    comment: 'deploying',
    ...more,
  }
}

async function post(body: object, to = engine): Promise<string> {
  const answer = await to.post('/api/v2/silences', body)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  const { silenceID }: { silenceID: string } = JSON.parse(await answer.text())
  return silenceID
}
const get = (id: string, from = engine) => from.get<Silence>(`/api/v2/silence/${id}`)
const expire = (id: string) => fetch(`${engine.url}/api/v2/silence/${id}`, { method: 'DELETE' })

test('a silence is as it was posted: matchers in their order, times in ms, annotations only where there are some', async () => {
  const body = draft({ annotations: { ticket: 'OPS-12' } })
  const id = await post(body)
  const text = await (await fetch(`${engine.url}/api/v2/silence/${id}`)).text()
  const { updatedAt, startsAt } = await get(id)
  const [first] = body.matchers
  expect(text).toBe(
    `{"id":"${id}","status":{"state":"active"},"updatedAt":"${updatedAt}","annotations":{"ticket":"OPS-12"},"comment":"deploying","createdBy":"alice","endsAt":"${body.endsAt}","matchers":[{"isEqual":true,"isRegex":false,"name":"z","value":"${first?.value}"},{"isEqual":false,"isRegex":true,"name":"a","value":"x|y"}],"startsAt":"${startsAt}"}\n`,
  )
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

describe('an update', () => {
  test.each([
    [
      'the end, the comment and who made it',
      { endsAt: new Date(Date.now() + 2 * HOUR).toISOString(), comment: 'longer', createdBy: 'bob' },
    ],
    ['nothing', {}],
  ])('of %s keeps the id', async (_what, more) => {
    const body = draft()
    const id = await post(body)
    const before = await get(id)
    expect(await post({ ...body, startsAt: before.startsAt, id, ...more })).toBe(id)
    const after = await get(id)
    expect(after.updatedAt >= before.updatedAt).toBe(true)
    expect(after).toMatchObject({ ...more, status: { state: 'active' } })
  })

  test.each([
    ['the matchers', (body: ReturnType<typeof draft>) => ({ matchers: body.matchers.slice(0, 1) })],
    ['their order', (body: ReturnType<typeof draft>) => ({ matchers: body.matchers.toReversed() })],
    ['the start', () => ({ startsAt: new Date(Date.now() + HOUR / 2).toISOString() })],
  ])('of %s ends it, and makes another', async (_what, change) => {
    const body = draft()
    const id = await post(body)
    const { startsAt } = await get(id)
    const next = await post({ ...body, startsAt, ...change(body), id })
    expect(next).not.toBe(id)
    expect((await get(id)).status.state).toBe('expired')
    expect((await get(next)).status.state).not.toBe('expired')
  })

  test('of one that is still to come may move its start, but not into the past', async () => {
    const body = draft({ startsAt: new Date(Date.now() + HOUR / 2).toISOString() })
    const id = await post(body)
    expect((await get(id)).status.state).toBe('pending')
    expect(await post({ ...body, id, startsAt: new Date(Date.now() + HOUR / 4).toISOString() })).toBe(id)
    const started = await post({ ...body, id, startsAt: new Date(Date.now() - HOUR).toISOString() })
    expect(started).not.toBe(id)
    expect((await get(started)).status.state).toBe('active')
    expect((await get(id)).status.state).toBe('expired')
  })

  test('of one that has ended makes another and leaves it', async () => {
    const body = draft()
    const id = await post(body)
    await expire(id)
    const ended = await get(id)
    expect(await post({ ...body, id })).not.toBe(id)
    expect(await get(id)).toEqual(ended)
  })

  test('twenty at once lose none and keep the id', async () => {
    const body = draft()
    const id = await post(body)
    const { startsAt } = await get(id)
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => post({ ...body, startsAt, id, comment: `change ${n}` })),
    )
    expect(new Set(ids)).toEqual(new Set([id]))
  })
})

describe('an end by hand', () => {
  test('is now; a second one changes nothing; an unknown silence is 404 without a word', async () => {
    const id = await post(draft())
    expect([(await expire(id)).status, await (await expire(id)).text()]).toEqual([200, ''])
    const ended = await get(id)
    expect(ended.status.state).toBe('expired')
    expect((await expire(id)).status).toBe(200)
    expect(await get(id)).toEqual(ended)
    expect((await expire(randomUUID())).status).toBe(404)
  })

  test('of one that is still to come sets its start too', async () => {
    const id = await post(draft({ startsAt: new Date(Date.now() + HOUR / 2).toISOString() }))
    await expire(id)
    const { startsAt, endsAt, status } = await get(id)
    expect([startsAt, status.state]).toEqual([endsAt, 'expired'])
  })
})

describe('the list', () => {
  test('active by end, pending by start, expired by end, the latest first; the filter looks for the same matcher', async () => {
    const value = randomUUID()
    const inHours = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString()
    const ids = {
      late: await post(draft({ endsAt: inHours(3) }, value)),
      soon: await post(draft({ endsAt: inHours(1) }, value)),
      second: await post(draft({ startsAt: inHours(2), endsAt: inHours(5) }, value)),
      first: await post(draft({ startsAt: inHours(1), endsAt: inHours(5) }, value)),
      endedFirst: await post(draft({}, value)),
      endedLast: await post(draft({}, value)),
    }
    await expire(ids.endedFirst)
    await new Promise((later) => setTimeout(later, 5))
    await expire(ids.endedLast)
    const nameOf = new Map(Object.entries(ids).map(([name, id]) => [id, name]))
    const list = async (query: string) =>
      (await engine.get<Silence[]>(`/api/v2/silences?${query}`)).map(({ id }) => nameOf.get(id))
    const filter = `filter=${encodeURIComponent(`z="${value}"`)}`
    expect(await list(filter)).toEqual(['soon', 'late', 'first', 'second', 'endedLast', 'endedFirst'])
    expect(await list(`${filter}&expired=false`)).toEqual(['soon', 'late', 'first', 'second'])
    expect(await list(`${filter}&active=false&pending=no`)).toEqual(['endedLast', 'endedFirst'])
    expect(await list(`${filter}&filter=${encodeURIComponent('a!~"x|y"')}`)).toHaveLength(6)
    expect(await list(`filter=${encodeURIComponent(`z=~"${value}"`)}`)).toEqual([])
  })
})

test('another replica knows of a silence at its next question, and obeys it', async () => {
  await using other = await startEngine({ config, redis: redis.socket })
  const value = randomUUID()
  await engine.post('/api/v2/alerts', [{ labels: { alertname: 'Z', z: value } }])
  const id = await post(draft({}, value))
  expect((await get(id, other)).id).toBe(id)
  expect(await other.get(`/api/v2/alerts?filter=z%3D${value}`)).toMatchObject([
    { status: { state: 'suppressed', silencedBy: [id] } },
  ])
  await expire(id)
  expect(await other.get(`/api/v2/alerts?filter=z%3D${value}`)).toMatchObject([{ status: { state: 'active' } }])
})

test('who did what is in the log and in the audit', async () => {
  const body = draft()
  const id = await post(body)
  const fields = { silence: id, by: 'alice', from: '127.0.0.1', client: expect.any(String) }
  const created = await eventually(
    async () => engine.log.filter(({ message, silence }) => message === 'silence created' && silence === id),
    (found) => found.length > 0,
  )
  expect(created[0]).toMatchObject(fields)
  await expire(id)
  const audit = await engine.get<object[]>('/api/tocsin/v1/audit')
  expect(audit.slice(0, 2)).toMatchObject([
    { event: 'silence expired', silence: id, by: '' },
    { event: 'silence created', at: expect.stringMatching(/Z$/), ...fields },
  ])
})

describe('limits', () => {
  test('on number, expired ones included, and on size; an update needs no room', async () => {
    await using own = await openRedis()
    await using limited = await startEngine({
      config,
      redis: own.socket,
      args: ['--silences.max-silences=2', '--silences.max-silence-size-bytes=500', '--data.retention=1h'],
    })
    const body = draft()
    const id = await post(body, limited)
    await post(draft(), limited)
    const refused = await limited.post('/api/v2/silences', draft())
    expect([refused.status, await refused.json()]).toEqual([400, 'exceeded maximum number of silences: 2 (limit: 2)'])
    const { startsAt } = await get(id, limited)
    expect(await post({ ...body, startsAt, id, comment: 'longer' }, limited)).toBe(id)
    const large = await limited.post('/api/v2/silences', { ...body, startsAt, id, comment: 'x'.repeat(500) })
    expect(large.status).toBe(400)
    expect(await large.json()).toMatch(/^silence exceeded maximum size: \d{3} bytes \(limit: 500 bytes\)$/)
  })
})

test('with Redis away a silence is refused, never lost in silence', async () => {
  await using own = await openRedis()
  await using lonely = await startEngine({ config, redis: own.socket })
  own.process.kill('SIGSTOP')
  const answer = await lonely.post('/api/v2/silences', draft())
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
  for (const path of ['alerts', 'alerts/groups', 'silences', `silence/${randomUUID()}`])
    expect((await fetch(`${lonely.url}/api/v2/${path}`)).status, path).toBe(503)
  expect(await lonely.get('/api/v2/status')).toMatchObject({ cluster: { status: 'settling', peers: [] } })
  own.process.kill('SIGCONT')
})
