import { compare, hashSync } from 'bcryptjs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { authenticator } from '../../src/api/authenticate.ts'
import { type Compare, openPasswords } from '../../src/api/passwords.ts'
import { alternativeNames } from '../../src/api/tls.ts'
import { openToAll } from '../../src/config/web/load.ts'
import { Secret } from '../../src/model/secret.ts'

const hash = new Secret(hashSync('right', 4))
const costly = new Secret(hashSync('other', 5))

/** Notes which hashes it was asked about. */
function noting(real: Compare): Compare & { hashes: string[] } {
  const hashes: string[] = []
  const noted = async (password: string, against: string) => {
    hashes.push(against)
    return real(password, against)
  }
  return Object.assign(noted, { hashes })
}

test('what a password was is known again under the same hash, and for nobody else', async () => {
  const asked = noting(compare)
  const passwords = openPasswords(asked)
  const is = (password: string) => passwords.isRight('bob', password, hash, [hash])
  expect([await is('right'), await is('wrong')]).toEqual([true, false])
  expect(passwords.known('bob', 'right', hash)).toBe(true)
  expect(passwords.known('bob', 'wrong', hash)).toBe(false)
  expect(passwords.known('eve', 'right', hash)).toBe(undefined)
  expect(passwords.known('bob', 'right', costly)).toBe(undefined)
  expect(passwords.known('bob', 'right', undefined)).toBe(undefined)
  expect(asked.hashes).toHaveLength(2)
})

test('however many are guessed, what was right is known; of what was wrong what is asked most lately', async () => {
  const passwords = openPasswords(async (password) => password === 'right')
  const is = (password: string) => passwords.isRight('bob', password, hash, [hash])
  await is('right')
  await is('old')
  for (let i = 0; i < 1500; i++) {
    await is(`guess ${i}`)
    expect(passwords.known('bob', 'old', hash)).toBe(false)
  }
  expect(passwords.known('bob', 'right', hash)).toBe(true)
  expect(passwords.known('bob', 'guess 0', hash)).toBe(undefined)
})

test('what is being compared is not compared again', async () => {
  const asked = noting(compare)
  const passwords = openPasswords(asked)
  const all = Array.from({ length: 40 }, () => passwords.isRight('bob', 'right', hash, [hash]))
  expect(await passwords.known('bob', 'right', hash)).toBe(true)
  expect(new Set(await Promise.all(all))).toEqual(new Set([true]))
  expect(asked.hashes).toHaveLength(1)
})

test('unknown users cost one comparison too, of as various cost as known ones, and are never let in', async () => {
  const asked = noting(compare)
  const passwords = openPasswords(asked)
  const names = Array.from({ length: 40 }, (_one, i) => `nobody ${i}`)
  for (const name of [...names, ...names])
    expect(await passwords.isRight(name, 'right', undefined, [hash, costly])).toBe(false)
  const costs = asked.hashes.map((one) => /^\$2b\$(0[45])\$.{53}$/.exec(one)?.[1])
  expect(costs.slice(40)).toEqual(costs.slice(0, 40)) // of a name always the same
  expect(new Set(costs)).toEqual(new Set(['04', '05']))
  const always = openPasswords(async () => true)
  expect(await always.isRight('nobody', 'x', undefined, [])).toBe(false)
  expect(always.known('nobody', 'x', undefined)).toBe(false)
})

test('who would wait behind 32 others is told to come again', async () => {
  let go = () => {}
  const held = new Promise<void>((done) => (go = done))
  const passwords = openPasswords(async () => held.then(() => false))
  const waiting = Array.from({ length: 32 }, (_one, i) => passwords.isRight('a', `b${i}`, hash, []))
  await expect(passwords.isRight('a', 'b', hash, [])).rejects.toMatchObject({ status: 503, retryAfter: 2 })
  go()
  expect(await Promise.all(waiting)).not.toContain(true)
  expect(await passwords.isRight('a', 'b', hash, [])).toBe(false)
})

describe('an address that guesses', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  /** Who is let in; asks as `address`, and tells the status of a refusal. */
  function door(names: readonly string[] = ['bob']) {
    const asked = noting(async (password) => password === 'right')
    const users = new Map(names.map((name) => [name, hash]))
    const sessions = { add: async () => {}, get: async () => undefined, take: async () => undefined }
    const { check } = authenticator(() => ({ ...openToAll, users }), {
      store: { sessions },
      passwords: openPasswords(asked),
    })
    const ask = (user: string, password: string, ingest = false) =>
      check({ user, password }, '10.0.0.1', ingest).then(
        (principal) => principal?.name ?? 401,
        ({ status }: { status: number }) => status,
      )
    return { ask, asked }
  }

  test('has five guesses, though all are made at once', async () => {
    const { ask, asked } = door()
    const answers = await Promise.all(Array.from({ length: 40 }, (_one, i) => ask('bob', `guess ${i}`)))
    expect(answers).toEqual([...Array(5).fill(401), ...Array(35).fill(429)])
    expect(asked.hashes).toHaveLength(5)
    expect(await ask('bob', 'right')).toBe(429)
  })

  test('counts once for the same wrong password, though it comes over many connections at once', async () => {
    const { ask } = door()
    expect(await Promise.all(Array.from({ length: 8 }, () => ask('bob', 'old')))).toEqual(Array(8).fill(401))
    expect(await ask('bob', 'right')).toBe('bob')
  })

  test('is not held up by right passwords, however many', async () => {
    const names = Array.from({ length: 20 }, (_one, i) => `user ${i}`)
    const { ask } = door(names)
    for (const name of names) expect(await ask(name, 'right')).toBe(name)
    for (let i = 0; i < 4; i++) expect(await ask('user 0', `guess ${i}`)).toBe(401)
    expect(await ask('user 0', 'the fifth')).toBe(401)
    expect(await ask('user 0', 'the sixth')).toBe(429)
    expect(await ask('user 0', 'right')).toBe('user 0')
  })

  test('may still post alerts by a known user, who is looked at once a second', async () => {
    const { ask } = door(['bob', 'eve'])
    for (let i = 0; i < 8; i++) {
      await ask('bob', `guess ${i}`)
      vi.advanceTimersByTime(2 ** i * 100)
    }
    for (let i = 0; i < 5; i++) await ask('nobody', `guess ${i}`)
    expect(await ask('bob', 'right')).toBe(429)
    expect(await ask('nobody', 'x', true)).toBe(503)
    expect(await ask('bob', 'yet another', true)).toBe(401)
    expect(await ask('bob', 'right', true)).toBe(503)
    expect(await ask('eve', 'right', true)).toBe('eve')
    vi.advanceTimersByTime(1000)
    expect(await ask('bob', 'right', true)).toBe('bob')
    expect(await ask('bob', 'right')).toBe('bob') // and is known from now on
  })
})

test.each([
  ['DNS:a.example, DNS:b.example', ['a.example', 'b.example']],
  ['IP Address:10.0.0.1, email:a@b.example, URI:spiffe://x/y', ['10.0.0.1', 'a@b.example', 'spiffe://x/y']],
  ['IP Address:FE80:0:0:0:0:0:0:1', ['fe80::1']],
  ['DNS:"a.example, DNS:evil.example"', ['a.example, DNS:evil.example']],
  ['DNS:"b\\"c", DNS:d', ['b"c', 'd']],
  ['DNS:"b\\x"', []],
  ['Registered ID:1.2.3, othername:<unsupported>, DNS:a', ['a']],
  ['DirName:"CN = DNS:evil.example, DNS:evil"', []],
  [undefined, []],
])('alternative names %s', (printed, names) => {
  expect(alternativeNames(printed)).toEqual(names)
})
