import { expect, test } from 'vitest'
import { parseRange, whyRefused } from '../../src/model/egress.ts'

const rangesOf = (...texts: string[]) =>
  texts.map((text) => parseRange(text)).filter((one): one is NonNullable<typeof one> => one !== undefined)

test.each([
  // address                        what it is
  ['93.184.216.34', 'public'],
  ['172.32.0.1', 'public'],
  ['100.128.0.1', 'public'],
  ['192.169.0.1', 'public'],
  ['2606:2800:220:1::1', 'public'],
  ['64:ff9b::5db8:d822', 'public'],
  ['2002:5db8:d822::1', 'public'],
  ['::ffff:93.184.216.34', 'public'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['127.0.0.1', 'private'],
  ['127.255.255.254', 'private'],
  ['100.64.0.1', 'private'],
  ['100.100.100.200', 'private'],
  ['192.0.0.192', 'private'],
  ['198.18.0.1', 'private'],
  ['::1', 'private'],
  ['fc00::1', 'private'],
  ['fd12:3456::1', 'private'],
  ['fec0::1', 'private'],
  ['::ffff:127.0.0.1', 'private'],
  ['::ffff:7f00:1', 'private'],
  ['::ffff:10.1.2.3', 'private'],
  ['0:0:0:0:0:ffff:c0a8:0101', 'private'],
  ['::127.0.0.1', 'private'],
  ['::ffff:0:127.0.0.1', 'private'],
  ['::ffff:0:93.184.216.34', 'public'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b:1::a00:1', 'private'],
  ['2002:7f00:1::', 'private'],
  ['2002:c0a8:101::1', 'private'],
  ['2001:0:4136:e378:8000:63bf:80ff:fffe', 'private'], // Teredo, for 127.0.0.1
  ['169.254.169.254', 'link-local'],
  ['169.254.0.1', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['febf::1', 'link-local'],
  ['fd00:ec2::254', 'link-local'],
  ['fd20:ce::254', 'link-local'],
  ['::ffff:169.254.169.254', 'link-local'],
  ['::ffff:a9fe:a9fe', 'link-local'],
  ['64:ff9b::a9fe:a9fe', 'link-local'],
  ['2002:a9fe:a9fe::1', 'link-local'],
  ['0.0.0.0', 'unusable'],
  ['0.1.2.3', 'unusable'],
  ['::', 'unusable'],
  ['224.0.0.1', 'unusable'],
  ['239.255.255.250', 'unusable'],
  ['255.255.255.255', 'unusable'],
  ['240.0.0.1', 'unusable'],
  ['ff02::1', 'unusable'],
  ['::ffff:0.0.0.0', 'unusable'],
  ['::ffff:255.255.255.255', 'unusable'],
  ['64:ff9b::0.0.0.0', 'unusable'],
  ['2002:e000:1::', 'unusable'],
  ['', 'unusable'],
  ['256.1.1.1', 'unusable'],
  ['localhost', 'unusable'],
])('%s is %s', (address, kind) => {
  const isRefused = (allowPrivate: boolean, literal: boolean) =>
    whyRefused(address, { allowPrivate }, literal) !== undefined
  expect([isRefused(true, true), isRefused(false, true), isRefused(true, false)]).toEqual(
    { public: [false, false, false], private: [false, true, true] }[kind] ?? [true, true, true],
  )
})

test.each([
  ['10.1.2.3', ['10.0.0.0/8'], true],
  ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
  ['64:ff9b::10.1.2.3', ['10.0.0.0/8'], true],
  ['11.0.0.1', ['10.0.0.0/8'], true], // public
  ['192.168.0.1', ['10.0.0.0/8'], false],
  ['10.0.0.5', ['10.0.0.4/30'], true],
  ['10.0.0.8', ['10.0.0.4/30'], false],
  ['10.0.0.4', ['10.0.0.4'], true],
  ['10.0.0.5', ['10.0.0.4'], false],
  ['169.254.10.10', ['169.254.10.0/24'], true],
  ['169.254.169.254', ['169.254.10.0/24'], false],
  ['fd12::1', ['fd12::/16'], true],
  ['fd13::1', ['fd12::/16'], false],
  ['0.0.0.0', ['0.0.0.0/0'], false],
  ['127.0.0.1', ['0.0.0.0/0'], true],
])('%s with %j allowed: %s', (address, ranges, allowed) => {
  const egress = { allowPrivate: rangesOf(...ranges) }
  expect(whyRefused(address, egress, true) === undefined).toBe(allowed)
})

test('what a list allows is not for hosts from templates', () => {
  expect(whyRefused('10.0.0.1', { allowPrivate: rangesOf('10.0.0.0/8') }, false)).toContain('template')
})

test.each(['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0/8', 'fd00::/129', 'x', '10.0.0.0/8/8'])(
  '%j is no range',
  (text) => {
    expect(parseRange(text)).toBeUndefined()
  },
)
