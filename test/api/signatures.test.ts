import { createHash, createHmac } from 'node:crypto'
import twilio from 'twilio'
import { describe, expect, test } from 'vitest'
import { isOfPagerDuty, isOfSlack, isOfTwilio } from '../../src/api/callbacks/signatures.ts'

// The vendors' own samples.

const bytes = (text: string) => Buffer.from(text)

describe('Slack', () => {
  // https://api.slack.com/authentication/verifying-requests-from-slack
  const secret = '8f742231b10e8888abcd99yyyzzz85a5'
  const timestamp = '1531420618'
  const at = 1531420618_000
  const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503'
  const body =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'

  test.each([
    ['the sample', {}, true],
    ['one of several secrets', { secrets: ['other', secret] }, true],
    ['another secret', { secrets: ['other'] }, false],
    ['no secret', { secrets: [] }, false],
    ['another body', { body: `${body}&x=1` }, false],
    ['another signature', { signature: signature.replace('a2', 'a3') }, false],
    ['no signature', { signature: '' }, false],
    ['no version', { signature: signature.slice(3) }, false],
    ['300 s old', { at: at + 300_000 }, true],
    ['301 s old', { at: at + 301_000 }, false],
    ['300 s ahead', { at: at - 300_000 }, true],
    ['301 s ahead', { at: at - 301_000 }, false],
    ['no time', { timestamp: '' }, false],
    ['a time that is none', { timestamp: 'NaN' }, false],
  ])('%s', (_name, changed, expected) => {
    const given = { secrets: [secret], body, timestamp, signature, at, ...changed }
    expect(isOfSlack(given.secrets, bytes(given.body), given, given.at)).toBe(expected)
  })
})

describe('PagerDuty', () => {
  // https://github.com/PagerDuty/go-pagerduty/blob/main/webhookv3/webhookv3_test.go
  const secret = 'lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK'
  const body =
    '{"event":{"id":"01BWDWL3NYY7LUFPZCC28QUCMK","event_type":"incident.priority_updated","resource_type":"incident","occurred_at":"2021-04-26T17:36:27.458Z","agent":{"html_url":"https://acme.pagerduty.com/users/PLH1HKV","id":"PLH1HKV","self":"https://api.pagerduty.com/users/PLH1HKV","summary":"Tenex Engineer","type":"user_reference"},"client":null,"data":{"id":"PGR0VU2","type":"incident","self":"https://api.pagerduty.com/incidents/PGR0VU2","html_url":"https://acme.pagerduty.com/incidents/PGR0VU2","number":2,"status":"triggered","title":"A little bump in the road","service":{"html_url":"https://acme.pagerduty.com/services/PF9KMXH","id":"PF9KMXH","self":"https://api.pagerduty.com/services/PF9KMXH","summary":"API Service","type":"service_reference"},"assignees":[{"html_url":"https://acme.pagerduty.com/users/PTUXL6G","id":"PTUXL6G","self":"https://api.pagerduty.com/users/PTUXL6G","summary":"User 123","type":"user_reference"}],"escalation_policy":{"html_url":"https://acme.pagerduty.com/escalation_policies/PUS0KTE","id":"PUS0KTE","self":"https://api.pagerduty.com/escalation_policies/PUS0KTE","summary":"Default","type":"escalation_policy_reference"},"teams":[{"html_url":"https://acme.pagerduty.com/teams/PFCVPS0","id":"PFCVPS0","self":"https://api.pagerduty.com/teams/PFCVPS0","summary":"Engineering","type":"team_reference"}],"priority":{"html_url":"https://acme.pagerduty.com/account/incident_priorities","id":"PSO75BM","self":"https://api.pagerduty.com/priorities/PSO75BM","summary":"P1","type":"priority_reference"},"urgency":"high","conference_bridge":{"conference_number":1000,"conference_url":"https://example.com"},"resolve_reason":null}}}'
  const good = 'v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd'
  const bad = 'v1=7020c8a7ec668a9b7012bc3dd82e483394b038f4230acc6785efbf2a7d8bcaf5'

  test.each([
    ['the sample', [secret], body, good, true],
    ['the sample that does not fit', [secret], body, bad, false],
    ['two, while a secret is replaced by another', [secret], body, `${bad},${good}`, true],
    ['with a space', [secret], body, `${bad}, ${good}`, true],
    ['two secrets of ours', ['old', secret], body, good, true],
    ['none', [secret], body, '', false],
    ['another version', [secret], body, good.replace('v1', 'v2'), false],
    ['no secret', [], body, good, false],
    ['another body', [secret], `${body} `, good, false],
  ])('%s', (_name, secrets, given, signatures, expected) => {
    expect(isOfPagerDuty(secrets, bytes(given), signatures)).toBe(expected)
  })
})

describe('Twilio', () => {
  // https://www.twilio.com/docs/usage/security, and the samples of its libraries
  // (https://github.com/twilio-samples/api-snippets/tree/main/security)
  const url = 'https://mycompany.com/myapp.php?foo=1&bar=2'
  const form = 'CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212'
  const signature = 'RSOYDt4T1cUTdK1PDd93/VVr8B8='
  const json = '{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}'
  const hash = createHash('sha256').update(json).digest('hex')
  const isForm = true

  test.each([
    ['the sample', ['12345'], url, form, { isForm, signature }, true],
    ['fields in another order', ['12345'], url, form.split('&').reverse().join('&'), { isForm, signature }, true],
    ['another token', ['54321'], url, form, { isForm, signature }, false],
    ['no token', [], url, form, { isForm, signature }, false],
    ['another host', ['12345'], url.replace('mycompany', 'evil'), form, { isForm, signature }, false],
    ['another query', ['12345'], `${url}&x=1`, form, { isForm, signature }, false],
    ['a field more', ['12345'], url, `${form}&X=1`, { isForm, signature }, false],
    ['no signature', ['12345'], url, form, { isForm, signature: '' }, false],
  ])('%s', (_name, tokens, given, body, how, expected) => {
    expect(isOfTwilio(tokens, given, bytes(body), how)).toBe(expected)
  })

  // Twilio signs now with the port and now without; its own library takes both
  const signers = ['https://a.example', 'https://a.example:443', 'https://a.example:8443', 'http://a.example:80']
  const rest = '/callbacks/twilio/status?a=it%27s'
  test.each([
    ['https://a.example', [true, true, false, false]],
    ['https://a.example:443', [true, true, false, false]],
    ['https://a.example:8443', [true, true, true, false]],
    ['http://a.example', [false, false, false, true]],
    ['http://a.example:80', [false, false, false, true]],
    ['https://[2001:db8::1]', [false, false, false, false]],
  ])('%s is configured, and another form of it signed', (configured, expected) => {
    const fields = Object.fromEntries(new URLSearchParams(form))
    for (const [i, signer] of signers.entries()) {
      const its = twilio.getExpectedTwilioSignature('12345', signer + rest, fields)
      const taken = isOfTwilio(['12345'], configured + rest, bytes(form), { isForm, signature: its })
      expect([signer, taken]).toEqual([signer, expected[i]])
      if (twilio.validateRequest('12345', its, configured + rest, fields)) expect(taken).toBe(true)
    }
  })

  test.each(['https://[2001:db8::1]', 'https://[2001:db8::1]:443'])(
    'an address of IPv6 has its port behind it: %s',
    (at) => {
      const its = twilio.getExpectedTwilioSignature('12345', `https://[2001:db8::1]:443${rest}`, {})
      expect(isOfTwilio(['12345'], at + rest, bytes(''), { isForm, signature: its })).toBe(true)
    },
  )

  test('JSON: its hash is part of the URL that is signed', () => {
    // the sample's hash and URL; its token is nobody's
    expect(hash).toBe('5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9')
    const about = `https://example.com/myapp?bodySHA256=${hash}`
    const sign = (text: string) => createHmac('sha1', 'token').update(text).digest('base64')
    const given = (body: string, at: string) =>
      isOfTwilio(['token'], at, bytes(body), { isForm: false, signature: sign(at) })
    expect(given(json, about)).toBe(true)
    expect(given(`${json} `, about)).toBe(false)
    expect(given(json, 'https://example.com/myapp')).toBe(false) // no hash: the body is not signed at all
    const sample =
      'https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620'
    const its = { isForm: false, signature: 'a9nBmqA0ju/hNViExpshrM61xv4=' } // twilio-node's own test
    expect(isOfTwilio(['12345'], sample, bytes('{"property": "value", "boolean": true}'), its)).toBe(true)
  })
})
