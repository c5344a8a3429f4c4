import { compare, hashSync } from 'bcryptjs'
import { expect, test } from 'vitest'
import { type Compare, openPasswords } from '../../src/api/passwords.ts'
import { alternativeNames } from '../../src/api/tls.ts'
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
  expect(passwords.wasRight('bob', 'right', hash)).toBe(true)
  expect(passwords.wasRight('bob', 'wrong', hash)).toBe(false)
  expect(passwords.wasRight('eve', 'right', hash)).toBe(undefined)
  expect(passwords.wasRight('bob', 'right', costly)).toBe(undefined)
  expect(passwords.wasRight('bob', 'right', undefined)).toBe(undefined)
  expect(asked.hashes).toHaveLength(2)
})

test('an unknown user costs one comparison too, at the highest cost there is, and is never let in', async () => {
  const asked = noting(compare)
  const passwords = openPasswords(asked)
  expect(await passwords.isRight('nobody', 'right', undefined, [hash, costly])).toBe(false)
  expect(asked.hashes).toEqual([expect.stringMatching(/^\$2b\$05\$.{53}$/)])
  const always = openPasswords(async () => true)
  expect(await always.isRight('nobody', 'x', undefined, [])).toBe(false)
  expect(always.wasRight('nobody', 'x', undefined)).toBe(false)
})

test('who would wait behind 32 others is told to come again', async () => {
  let go = () => {}
  const held = new Promise<void>((done) => (go = done))
  const passwords = openPasswords(async () => held.then(() => false))
  const waiting = Array.from({ length: 32 }, () => passwords.isRight('a', 'b', hash, []))
  await expect(passwords.isRight('a', 'b', hash, [])).rejects.toMatchObject({ status: 503, retryAfter: 2 })
  go()
  expect(await Promise.all(waiting)).not.toContain(true)
  expect(await passwords.isRight('a', 'b', hash, [])).toBe(false)
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
