import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** How old a request of Slack may be, and how far ahead its clock, s. */
const SLACK_WINDOW = 300

/** Slack: https://api.slack.com/authentication/verifying-requests-from-slack. `at` in epoch ms. */
export function isOfSlack(
  secrets: readonly string[],
  body: Uint8Array,
  { timestamp, signature }: { timestamp: string; signature: string },
  at: number,
): boolean {
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(at / 1000 - Number(timestamp)) > SLACK_WINDOW) return false
  return secrets.some((secret) => {
    const hex = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')
    return isSame(`v0=${hex}`, signature)
  })
}

/**
 * PagerDuty's v3 webhooks: https://developer.pagerduty.com/docs/verifying-webhook-signatures. It signs with each secret
 * while one is replaced; any that fits will do.
 */
export function isOfPagerDuty(secrets: readonly string[], body: Uint8Array, signatures: string): boolean {
  const given = signatures.split(',').map((one) => one.trim())
  return secrets.some((secret) => {
    const expected = `v1=${createHmac('sha256', secret).update(body).digest('hex')}`
    return given.some((one) => isSame(expected, one))
  })
}

/**
 * Twilio: https://www.twilio.com/docs/usage/security. `url` is the one that Twilio was told to call, with its query: never
 * one made from what the request says of itself. Whether the port is signed with it differs from time to time there.
 */
export function isOfTwilio(
  tokens: readonly string[],
  url: string,
  body: Uint8Array,
  { isForm, signature }: { isForm: boolean; signature: string },
): boolean {
  const bodyHash = new URL(url).searchParams.get('bodySHA256')
  if (!isForm && (bodyHash === null || !isSame(createHash('sha256').update(body).digest('hex'), bodyHash))) return false
  const fields = isForm ? sortedFields(new URLSearchParams(Buffer.from(body).toString())) : ''
  return tokens.some((token) =>
    portForms(url).some((form) =>
      isSame(
        createHmac('sha1', token)
          .update(form + fields)
          .digest('base64'),
        signature,
      ),
    ),
  )
}

/** A URL as it is, without a port, and with the one that its scheme means; the rest of it letter by letter. */
function portForms(url: string): string[] {
  const [, scheme = '', host = '', rest = ''] = /^(https?:\/\/)([^/?#]*?)(?::\d+)?([/?#].*)?$/i.exec(url) ?? []
  const port = scheme.toLowerCase() === 'https://' ? 443 : 80
  return [url, `${scheme}${host}${rest}`, `${scheme}${host}:${port}${rest}`]
}

/** Names and values one behind the other, by name; of a name that comes again each value once. */
function sortedFields(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].sort()
  return names.flatMap((name) => [...new Set(form.getAll(name))].sort().map((value) => name + value)).join('')
}

/** Hashes are compared, so that the time taken says nothing of where two texts differ, nor how long they are. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other))
}
