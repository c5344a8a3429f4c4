import { type HttpSink, openHttpSink, pagerdutyAnswer, slackAnswer, twilioAnswer } from './http-sink.ts'
import { type SmtpSink, openSmtpSink } from './smtp-sink.ts'

export interface World extends AsyncDisposable {
  slack: HttpSink
  pagerduty: HttpSink
  twilio: HttpSink
  smtp: SmtpSink
  /** A routing file whose one team has all four, notified of everything; and what is added to it. */
  config(severities?: string): string
  /** The variables that the shipped routing wants, each leading here. */
  env: Record<string, string>
}

/** Local servers that speak each channel's real protocol. */
export async function openWorld(): Promise<World> {
  const [slack, pagerduty, twilio, smtp] = await Promise.all([
    openHttpSink(slackAnswer),
    openHttpSink(pagerdutyAnswer),
    openHttpSink(twilioAnswer),
    openSmtpSink(),
  ])
  return {
    slack,
    pagerduty,
    twilio,
    smtp,
    config: (
      severities = `
  critical: { notify: [slack, pagerduty, email, sms], incident: true, group_wait: 0s, group_interval: 1s, repeat_interval: 4h }
  info: { notify: [email], group_wait: 0s, group_interval: 1s }`,
    ) => `
global:
  pagerduty_url: ${pagerduty.url}/v2/enqueue
  smtp_smarthost: ${smtp.smarthost}
  smtp_from: tocsin@example.com
  smtp_require_tls: false
  twilio_account_sid: AC123
  twilio_auth_token: token
  twilio_from: "+15005550006"
  twilio_api_url: ${twilio.url}
severities:${severities}
teams:
  platform:
    slack: ${slack.url}/services/platform
    pagerduty: R0UT1NG
    email: platform@example.com
    sms: "+61400000000"
`,
    env: {
      PAGERDUTY_URL: `${pagerduty.url}/v2/enqueue`,
      PD_PLATFORM_KEY: 'R0UT1NG',
      SLACK_PLATFORM_WEBHOOK: `${slack.url}/services/platform`,
      SLACK_QUANT_WEBHOOK: `${slack.url}/services/quant`,
      SLACK_DATA_WEBHOOK: `${slack.url}/services/data`,
      SMTP_SMARTHOST: smtp.smarthost,
      SMTP_REQUIRE_TLS: 'false',
      TWILIO_ACCOUNT_SID: 'AC123',
      TWILIO_AUTH_TOKEN: 'token',
      TWILIO_FROM: '+15005550006',
      TWILIO_API_URL: twilio.url,
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([slack, pagerduty, twilio, smtp].map((sink) => sink[Symbol.asyncDispose]()))
    },
  }
}
