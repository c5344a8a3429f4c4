import { z } from 'zod'
import { isSet } from '../model/http-config.ts'
import { type Asking, openClient } from './client.ts'
import { beside, destinationOf, link, secretOf, secretsIn, unheeded, withBeside, withoutContent } from './fields.ts'
import { type Answer, NoAnswer, NotSent, exchange, within } from './http.ts'
import { type Notification, SettingError, channel } from './notifier.ts'
import { findInHistory, metadataOf } from './slack-api.ts'
import { slackOutcome, wantsLess } from './slack-answers.ts'
import { inPlainText, toMessage, unescapeSlack } from './slack-message.ts'
import { type Settings, config, declines } from './slack-settings.ts'

/**
 * Slack, one attachment a message: by incoming webhooks, or, with a bot's token, by its Web API.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * https://docs.slack.dev/reference/methods/chat.postMessage
 */
export const slack = channel({
  name: 'slack',
  config,
  inherits: {
    api_url: 'slack_api_url',
    api_url_file: 'slack_api_url_file',
    app_token: 'slack_app_token',
    app_token_file: 'slack_app_token_file',
    app_url: 'slack_app_url',
    http_config: 'http_config',
  },
  declines,
  ignores: ['update_message', ...unheeded],
  globals: z.object({}),
  standIns: { api_url: 'https://sandbox.invalid/slack' },
  deadline: 10_000,
  budget: { burst: 3, refill: 1000, inFlight: 2, digestAbove: 20 },
  load: () => Promise.all([import('@slack/webhook'), import('./connections.ts')]),
  onUnconfirmed: 'resend',
  fromTeam: (value) =>
    [value].flat().map((url) => ({
      api_url: url,
      username: 'Tocsin',
      color: '{{ template "tocsin.slack.color" . }}',
      title: '{{ template "tocsin.title" . }}',
      title_link: '{{ template "tocsin.link" . }}',
      text: '{{ template "tocsin.slack.text" . }}',
      fallback: '{{ template "tocsin.title" . }}',
      footer: '{{ template "tocsin.footer" . }}',
      fields: [
        { title: 'Severity', value: '{{ template "tocsin.severity" . }}', short: true },
        { title: 'Team', value: '{{ template "tocsin.team" . }}', short: true },
      ],
      timestamp: true,
    })),
  create(settings, surroundings) {
    const client = openClient(settings.http_config, surroundings)
    const fixedChannel = settings.channel ?? ''
    return {
      fixed: /^[#@]?[\w-]*$/.test(fixedChannel) ? whereTo(settings, fixedChannel) : undefined,
      compose: (notification) => compose(settings, notification),
      async send({ payload }, signal) {
        const { url, withToken } = addressOf(settings)
        if (!link(url)) return { state: 'failed', reason: 'configuration', detail: 'api_url is empty or no URL' }
        return client.attempt(within(signal, settings.timeout), async (asking) => {
          const post = (message: object) =>
            isWebApi(settings, url)
              ? postByToken(url, message, withToken(asking))
              : postToWebhook(url, message, withToken(asking))
          const answer = await post(payload)
          return slackOutcome(wantsLess(answer) ? await post(inPlainText(payload)) : answer)
        })
      },
      async reconcile({ payload }, signal) {
        try {
          const { url, withToken } = addressOf(settings)
          if (!isWebApi(settings, url)) return 'cannot tell'
          const { notification, at } = payload[beside]
          return await client.ask(within(signal, settings.timeout), (asking) =>
            findInHistory(url, payload.channel ?? '', notification, at, withToken(asking)),
          )
        } catch (error) {
          if (error instanceof SettingError || error instanceof NotSent) return 'cannot tell'
          throw error
        }
      },
      close: () => client.close(),
    }
  },
})

function compose(settings: Settings, notification: Notification) {
  const about = withoutContent(notification.id)
  const { api_url } = settings
  const message = {
    ...toMessage(settings, notification),
    ...(isWebApi(settings, api_url?.reveal() ?? '') && { metadata: metadataOf(about) }),
  }
  const [attachment] = message.attachments
  return {
    ...whereTo(settings, message.channel ?? ''),
    title: unescapeSlack(attachment.title),
    text: unescapeSlack(attachment.text || attachment.fallback),
    payload: withBeside(message, { notification: about, at: notification.at }),
    cost: 1,
  }
}

function whereTo({ api_url, api_url_file, app_token, app_token_file, http_config }: Settings, to: string) {
  const whose = [api_url?.reveal() ?? api_url_file ?? '', app_token?.reveal() ?? app_token_file ?? '']
  const login = http_config?.authorization?.credentials?.reveal() ?? http_config?.bearer_token?.reveal() ?? ''
  return { to: to || 'Slack', destination: destinationOf('slack', ...whose, login, to) }
}

/** Where to, and what is asked with besides: a bot's token. */
function addressOf(settings: Settings) {
  const token = secretOf(settings.app_token, settings.app_token_file)
  const own = token && { Authorization: `Bearer ${token}` }
  return {
    url: token ? settings.app_url : secretOf(settings.api_url, settings.api_url_file),
    withToken: (asking: Asking): Asking => ({
      ...asking,
      headers: { ...asking.headers, ...own },
      secrets: [...asking.secrets, ...secretsIn(own || {})],
    }),
  }
}

/** Whether messages go to `chat.postMessage`, with a bot's token, and not to a webhook. */
function isWebApi({ app_token, app_token_file }: Settings, url: string): boolean {
  if (isSet(app_token) || isSet(app_token_file)) return true
  return URL.canParse(url) && new URL(url).pathname.endsWith('/api/chat.postMessage')
}

function postByToken(url: string, message: object, { headers, ...asking }: Asking): Promise<Answer> {
  return exchange({
    method: 'POST',
    url,
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'User-Agent': 'Tocsin', ...headers },
    body: JSON.stringify(message),
    ...asking,
  })
}

/** By Slack's library, which makes of an answer an error without its head: the answer itself is kept beside it. */
async function postToWebhook(url: string, message: object, { headers, ...asking }: Asking): Promise<Answer> {
  const { IncomingWebhook } = await import('@slack/webhook')
  let answer: Answer | undefined
  const webhook = new IncomingWebhook(url, {
    timeout: 0, // the signal is the deadline
    fetch: async (to, init) => {
      const body = typeof init?.body === 'string' ? init.body : ''
      const own = Object.fromEntries(new Headers(init?.headers))
      answer = await exchange({ method: 'POST', url: String(to), headers: { ...own, ...headers }, body, ...asking })
      return new Response(null, { status: answer.status >= 200 && answer.status < 300 ? 200 : 500 })
    },
  })
  try {
    await webhook.send(message)
  } catch (error) {
    if (!answer) throw error
  }
  if (!answer) throw new NoAnswer(undefined, true)
  return answer
}
