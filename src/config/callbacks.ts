import { z } from 'zod'
import { atMostOne, fail, isSet } from '../model/http-config.ts'
import { Secret } from '../model/secret.ts'
import { httpUrl, maybe, secret, string } from '../model/settings.ts'

/** Secrets as they stand in the config, or the file that holds them, which is read when they are needed. */
export type SecretSource = { values: readonly Secret[] } | { file: string }

/** By what callbacks of vendors are known to be theirs; a vendor without secrets is not listened to. */
export interface Callbacks {
  slack: SecretSource | undefined
  pagerduty: SecretSource | undefined // several while one is replaced by another; a file has one a line
  twilio: { token: SecretSource; url: string } | undefined // the URL that Twilio calls, without what stands behind /callbacks
}

export const noCallbacks: Callbacks = { slack: undefined, pagerduty: undefined, twilio: undefined }

const slack = z.strictObject({ signing_secret: maybe(secret), signing_secret_file: maybe(string) }).check((context) => {
  atMostOne(context, 'signing_secret', 'signing_secret_file')
  needs(context, 'signing_secret', 'signing_secret_file')
})

const pagerduty = z.strictObject({ secrets: maybe(z.array(secret)), secrets_file: maybe(string) }).check((context) => {
  atMostOne(context, 'secrets', 'secrets_file')
  needs(context, 'secrets', 'secrets_file')
  const { secrets } = context.value
  if (secrets && (secrets.length === 0 || secrets.some((one) => one.reveal() === '')))
    fail(context, 'secrets', 'holds an empty secret, or none')
})

const twilio = z
  .strictObject({ auth_token: maybe(secret), auth_token_file: maybe(string), url: httpUrl })
  .check((context) => atMostOne(context, 'auth_token', 'auth_token_file'))

export const callbacks = z.strictObject({ slack: maybe(slack), pagerduty: maybe(pagerduty), twilio: maybe(twilio) })

/** What the file's `callbacks` comes to; a token that it does not name is the one that messages are sent with. */
export function callbacksOf(
  given: z.output<typeof callbacks> | undefined,
  global: Readonly<Record<string, unknown>>,
): Callbacks | 'no twilio token' {
  if (!given) return noCallbacks
  const { slack: ofSlack, pagerduty: ofPagerduty, twilio: ofTwilio } = given
  const globalToken = string.safeParse(global['twilio_auth_token'])
  const shared = globalToken.success && globalToken.data !== '' ? new Secret(globalToken.data) : undefined
  const token = ofTwilio && sourceOf(only(ofTwilio.auth_token ?? shared), ofTwilio.auth_token_file)
  if (ofTwilio && !token) return 'no twilio token'
  return {
    slack: ofSlack && sourceOf(only(ofSlack.signing_secret), ofSlack.signing_secret_file),
    pagerduty: ofPagerduty && sourceOf(ofPagerduty.secrets, ofPagerduty.secrets_file),
    twilio: ofTwilio && token && { token, url: ofTwilio.url.replace(/\/+$/, '') },
  }
}

function sourceOf(values: readonly Secret[] | undefined, file: string | undefined): SecretSource | undefined {
  if (file) return { file }
  return values && { values }
}

function only(value: Secret | undefined): readonly Secret[] | undefined {
  return value && isSet(value) ? [value] : undefined
}

function needs<T extends object>(
  context: z.core.ParsePayload<T>,
  key: keyof T & string,
  other: keyof T & string,
): void {
  if (!isSet(context.value[key]) && !isSet(context.value[other]))
    fail(context, key, `is required; set ${key} or ${other}`)
}
