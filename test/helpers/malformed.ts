import { gzipSync } from 'node:zlib'
import { rules } from '../../src/access/routes.ts'

/** Something sent over one connection: so many requests, or what is none. */
export interface Shot {
  parts: Buffer[] // one after the other
  requests: number
  cut: boolean // the connection is reset in the middle of an answer
}

type Random = () => number

const alert =
  '{"labels":{"alertname":"Fuzz","severity":"info"},"annotations":{"summary":"s"},"generatorURL":"http://p"}'
const silence =
  '{"matchers":[{"name":"alertname","value":"x","isRegex":false,"isEqual":true}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2026-01-02T00:00:00Z","createdBy":"x","comment":"x"}'
const webhook = `{"version":"4","status":"firing","receiver":"a","groupKey":"{}","alerts":[${alert}]}`
const bodies = [`[${alert}]`, silence, webhook, '{"by":"me"}', '{"user":"bob","password":"x"}', '{}', 'payload=%7B%7D']
const methods = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'get',
  'M-SEARCH',
  'FOO',
  '',
]
const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 0x20))
const large = Buffer.alloc(10 * 1024 * 1024 + 1, 0x20)
const deep = [10, 200, 5000, 100_000]

/** Requests that are wrong in every way that was thought of, and some that are right; the same for the same numbers. */
export function malformed(random: Random, token: string): () => Shot {
  const below = (n: number) => Math.floor(random() * n)
  const chance = (share: number) => random() < share
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const bytes = (n: number) => Buffer.from(Array.from({ length: n }, () => below(256)))
  const word = () =>
    pick([
      'a',
      '0',
      '-1',
      '__proto__',
      'constructor',
      '\u0000',
      '%',
      '%zz',
      '%00',
      '%ff',
      '..',
      '😀',
      '{',
      '"',
      "'",
      '$',
      'ä',
      ' ',
    ])

  function path(): string {
    const rule = pick(rules)
    const real = rule.path.replace(/:\w+|\*/g, () =>
      pick([
        '1',
        '00000000-0000-4000-8000-000000000000',
        'x',
        '%2e%2e%2f',
        '%',
        '%c0%af',
        '..',
        'a'.repeat(below(300)),
        word(),
      ]),
    )
    const odd = pick([
      real,
      real,
      real,
      real,
      `${real}/`,
      `/${real}`,
      real.toUpperCase(),
      `${real}%`,
      `${real}/..%2f..%2fetc/passwd`,
      `http://evil.example${real}`,
      `${real}#x`,
      '*',
      'evil.example:80',
      '',
      `/${'a/'.repeat(below(2000))}`,
      `${real}${'x'.repeat(below(20_000))}`,
      real.replace(/[a-z]/, (c) => `%${c.charCodeAt(0).toString(16)}`),
    ])
    return chance(0.5) ? odd : `${odd}?${query()}`
  }

  function query(): string {
    const names = [
      'filter',
      'receiver',
      'active',
      'silenced',
      'receiver_matchers',
      'muted',
      'filter[]',
      '__proto__',
      'bodySHA256',
      '',
    ]
    const values = [
      'a%3Db',
      '{',
      '%7Ba%3D~%22(%22%7D',
      '^(a%2B)%2B%24',
      'true',
      '%',
      '%ff',
      'a%3D~%22(%3F%3Ax)%7B1000%7D%22',
      'x'.repeat(below(5000)),
      '(('.repeat(below(500)),
      encodeURIComponent(word()),
    ]
    return Array.from({ length: below(6) }, () => `${pick(names)}${pick(['=', '', '=='])}${pick(values)}`).join(
      pick(['&', '&&', ';']),
    )
  }

  function mutated(text: string): Buffer {
    const at = below(text.length)
    const insert = pick([
      '',
      '"',
      '{',
      '[',
      ',',
      'null',
      '1e999',
      '\\ud800',
      '\\u0000',
      'NaN',
      '-',
      '😀',
      '\u202e',
      '"__proto__":{"x":1},',
      '[[',
      'true',
      ' '.repeat(below(1000)),
    ])
    const whole = pick([
      () => text.slice(0, at),
      () => text.slice(0, at) + insert + text.slice(at),
      () => text.slice(0, at) + insert + text.slice(at + 1 + below(10)),
      () => text.replaceAll('"x"', pick(['5', 'null', '[]', '{}', '"\\ud800"', `"${'y'.repeat(below(5000))}"`])),
      () => text.replace('{', `{"${word()}":${pick(['1', '"x"', '[]', '{}'])},`),
      () => `${text}${text}`,
      () => `\ufeff${text}`,
      () => text.replaceAll(':', ' '),
      () => text,
    ])()
    const made = Buffer.from(whole)
    if (chance(0.2) && made.length > 0) made[below(made.length)] = below(256)
    return made
  }

  function body(): Buffer {
    const kind = below(1000)
    if (kind === 0) return large
    if (kind < 10) return bytes(below(3000))
    if (kind < 20) {
      const depth = pick(deep)
      return Buffer.from(
        pick([
          `${'['.repeat(depth)}${']'.repeat(depth)}`,
          '[{"labels":'.repeat(depth),
          `[{"labels":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}]`,
        ]),
      )
    }
    if (kind < 30) return Buffer.alloc(0)
    return mutated(pick(bodies))
  }

  function headers(content: Buffer): { lines: string[]; content: Buffer } {
    const lines: string[] = []
    const add = (share: number, make: () => string) => chance(share) && lines.push(make())
    if (!chance(0.03))
      lines.push(`Host: ${pick(['localhost', '127.0.0.1', 'evil.example', '', 'a b', '[::1', 'x'.repeat(300)])}`)
    add(0.02, () => 'Host: twice.example')
    if (!chance(0.1)) lines.push(`Authorization: Bearer ${token}`)
    add(
      0.02,
      () =>
        `Authorization: ${pick(['Basic !!!!', 'Basic Ym9i', `Basic ${Buffer.from(`bob:${word()}`).toString('base64')}`, 'Bearer', 'Bearer  x', 'Digest a', `Bearer ${'x'.repeat(below(9000))}`])}`,
    )
    lines.push(
      `Content-Type: ${chance(0.8) ? 'application/json' : pick(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16', 'application/json;;;', '', 'multipart/form-data; boundary=', word(), 'application/json\t'])}`,
    )
    add(0.1, () => `Accept: ${pick(['*/*', 'text/html', 'application/json;q=0', ';;', word()])}`)
    add(0.05, () => `Origin: ${pick(['http://evil.example', 'null', '', 'http://localhost', '://'])}`)
    add(0.05, () => `Sec-Fetch-Site: ${pick(['cross-site', 'same-origin', 'none', word()])}`)
    add(
      0.05,
      () =>
        `Cookie: ${pick(['tocsin_session=', `tocsin_session=${'A'.repeat(43)}`, ';;;=', word(), 'a'.repeat(below(4000))])}`,
    )
    add(
      0.03,
      () =>
        `${pick(['X-Slack-Signature', 'X-Twilio-Signature', 'X-PagerDuty-Signature', 'X-Slack-Request-Timestamp'])}: ${pick(['v0=', 'v1=,,', word(), '1e9'])}`,
    )
    add(0.02, () => 'Expect: 100-continue')
    add(0.02, () =>
      pick([
        'Upgrade: h2c\r\nConnection: Upgrade',
        'Upgrade: websocket\r\nConnection: upgrade',
        'Connection: close',
        'Range: bytes=0-',
        'If-Modified-Since: x',
      ]),
    )
    add(0.02, () => `X-Long: ${'x'.repeat(below(30_000))}`)
    add(0.01, () => Array.from({ length: below(3000) }, (_one, i) => `X-${i}: 1`).join('\r\n'))
    add(0.02, () =>
      pick([
        ' folded: x',
        'X-Bad : y',
        'X-Nul: a\u0000b',
        'X\u00ff: z',
        ': empty',
        'no colon',
        'X-Bare: a\nX-Next: b',
        'X-Cr: a\rb',
      ]),
    )
    let sent = content
    const coding = below(100)
    if (coding < 4) {
      sent = pick([gzipSync(content), content, Buffer.from('1f8b08', 'hex'), gzipSync(content).subarray(0, 12)])
      lines.push(`Content-Encoding: ${pick(['gzip', 'br', 'deflate', 'gzip, gzip', 'x', 'identity', ''])}`)
    } else if (coding === 4 && chance(0.05)) {
      sent = bomb
      lines.push('Content-Encoding: gzip')
    }
    const framing = below(100)
    if (framing < 80) lines.push(`Content-Length: ${sent.length}`)
    else if (framing < 84)
      lines.push(
        `Content-Length: ${pick(['-1', '1e3', '0x10', String(sent.length + 5), '5', '99999999999999999999', '', ' ', '+3'])}`,
      )
    else if (framing < 88)
      lines.push(`Content-Length: ${sent.length}`, `Content-Length: ${pick([sent.length, 0, sent.length + 1])}`)
    else if (framing < 92) lines.push(`Content-Length: ${sent.length}`, 'Transfer-Encoding: chunked')
    else {
      lines.push(
        `Transfer-Encoding: ${pick(['chunked', 'chunked', 'chunked', 'xchunked', 'chunked, identity', ' chunked', 'chunked\r\nTransfer-Encoding: chunked'])}`,
      )
      sent = chunked(sent)
    }
    return { lines, content: sent }
  }

  function chunked(content: Buffer): Buffer {
    const size = pick([
      content.length.toString(16),
      content.length.toString(16),
      'zz',
      '-1',
      'ffffffffffffffff',
      `${content.length.toString(16)};${'x'.repeat(below(20_000))}`,
      '0',
    ])
    return Buffer.concat([
      Buffer.from(`${size}\r\n`),
      content,
      Buffer.from(pick(['\r\n0\r\n\r\n', '\r\n', '', '\r\n0\r\nX: y\r\n\r\n', '\n0\n\n'])),
    ])
  }

  function one(): Buffer {
    const method = chance(0.8) ? pick(['GET', 'POST', 'POST', 'DELETE']) : pick(methods)
    const content = method === 'GET' && chance(0.8) ? Buffer.alloc(0) : body()
    const { lines, content: sent } = headers(content)
    const version = chance(0.97) ? 'HTTP/1.1' : pick(['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/9.9', 'http/1.1', ''])
    const end = chance(0.98) ? '\r\n' : pick(['\n', '\r', '\r\n\r\n'])
    const space = chance(0.98) ? ' ' : pick(['  ', '\t', ''])
    const head = [`${method}${space}${path()}${space}${version}`, ...lines].join(end) + end + end
    return Buffer.concat([Buffer.from(head, chance(0.5) ? 'latin1' : 'utf8'), sent])
  }

  const noHttp = [
    () => Buffer.from('16030100', 'hex'),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    () => bytes(below(500)),
    () => Buffer.from('\r\n\r\n\r\n'),
    () => Buffer.from('GET /'),
    () => Buffer.from('*1\r\n$4\r\nPING\r\n'),
  ]

  return () => {
    if (chance(0.02)) return { parts: [pick(noHttp)()], requests: 1, cut: false }
    const requests = chance(0.15) ? 2 + below(4) : 1
    const whole = Buffer.concat(Array.from({ length: requests }, one))
    const at = below(whole.length)
    const parts = chance(0.1) ? [whole.subarray(0, at), whole.subarray(at)] : [whole]
    if (chance(0.05)) parts.splice(0, parts.length, whole.subarray(0, at)) // ends in the middle
    return { parts, requests, cut: chance(0.03) }
  }
}
