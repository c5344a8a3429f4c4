import { expect, test } from 'vitest'
import { whyNoUrl, whyUnparsable } from '../../src/model/url.ts'

// What Alertmanager 0.33 says of each as `pagerduty_url`, and as `proxy_url`.
test.each([
  // the text                    a place to send to  a proxy
  ['https://example.com', true, true],
  ['HTTP://example.com/a?b=c#d', true, true],
  ['http://user:pa%20ss@host:8080/', true, true],
  ['http://us er@host/', false, false],
  ['http://a{b}/', false, false],
  ['http://a b/', false, false],
  ['http://a/b c{d}', true, true],
  ['http://a/%zz', false, false],
  ['http://%41/', false, false],
  ['http://%C3%A9/', true, true],
  ['http://a:b', false, false],
  ['http://a:', true, true],
  ['http://::1', true, true],
  ['http://[::1]:80/', true, true],
  ['http://[::1%25en0]', true, true],
  ['http://[1.2.3.4]', false, false],
  ['http://[a]', false, false],
  ['http://a[b]', false, false],
  ['http://[::1]a', false, false],
  ['http:///path', false, true],
  ['http:opaque', false, true],
  ['ftp://example.com', false, true],
  ['//example.com', false, true],
  ['example.com/a', false, true],
  ['1:30', false, false],
  [':80', false, false],
  ['', false, true],
  ['http://a/\u0007', false, false],
])('%j', (text, isUrl, parses) => {
  expect([whyNoUrl(text) === undefined, whyUnparsable(text) === undefined]).toEqual([isUrl, parses])
})

test('what is wrong is said without the URL', () => {
  for (const url of ['http://s3cret:s3cret@', 's3cret', 'http://s3c ret/', 's3cret:/x', 'http://a:s3cret'])
    expect(whyNoUrl(url)).not.toContain('cret')
})
