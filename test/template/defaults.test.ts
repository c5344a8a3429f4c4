import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { TemplateData } from '../../src/template/data.ts'
import { readTemplateData } from '../../src/command/template-data.ts'
import { parseTemplates } from '../../src/template/templates.ts'
import { vectorData } from '../helpers/render-template.ts'

const file = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const vectors = (name: string): unknown => JSON.parse(file(`../vectors/${name}`))

const builtin = file('../../templates/alertmanager.tmpl')
const templates = parseTemplates([{ name: 'alertmanager.tmpl', text: builtin }])
const at = Date.UTC(2026, 10, 23, 21, 40)
const call = (name: string): string => `{{ template "${name}" . }}`
const text = (name: string, over: TemplateData<string>): string => templates.text(call(name), over, at)
const html = (name: string, over: TemplateData<string>): string => templates.html(call(name), over, at)

/** What every integration was told in the samples: two alerts fire, a third joins, one resolves, all resolve. */
const life = z
  .array(z.object({ body: z.unknown() }))
  .parse(vectors('webhook.json'))
  .map(({ body }) => readTemplateData(body))
const [first, joined, someResolved, allResolved] = life
if (!first || !joined || !someResolved || !allResolved) throw new Error('webhook.json holds four notifications')
const steps = ['first', 'joined', 'some resolved', 'all resolved'] as const

const requests = z.array(z.object({ method: z.string(), path: z.string(), body: z.unknown().optional() }))

/** The bodies of a sample's requests to a path, each as the texts in it by name. */
function sent<T extends Record<string, string>>(name: string, path: RegExp, schema: z.ZodType<T>): T[] {
  return requests
    .parse(vectors(name))
    .filter((request) => request.method === 'POST' && path.test(request.path))
    .map(({ body }) => schema.parse(body))
}

const attachment = <T extends z.ZodType>(schema: T) =>
  z.object({ username: z.string().optional(), attachments: z.tuple([schema]) })

interface Sample {
  file: string
  bodies: readonly Record<string, string>[] // template → what was sent, step by step
}

const samples: readonly Sample[] = [
  {
    file: 'slack-default.json',
    bodies: sent(
      'slack-default.json',
      /./,
      attachment(
        z.object({
          title: z.string(),
          title_link: z.string(),
          text: z.string(),
          fallback: z.string(),
          callback_id: z.string(),
          footer: z.string(),
          color: z.string(),
        }),
      ).transform(({ username, attachments: [one] }) => ({
        'slack.default.username': username ?? '',
        'slack.default.title': one.title,
        'slack.default.titlelink': one.title_link,
        'slack.default.text': one.text,
        'slack.default.fallback': one.fallback,
        'slack.default.callbackid': one.callback_id,
        'slack.default.footer': one.footer,
        'slack.default.color': one.color,
        // left out of the body where they are empty
        'slack.default.pretext': '',
        'slack.default.iconemoji': '',
        'slack.default.iconurl': '',
      })),
    ),
  },
  {
    file: 'mattermost.json',
    bodies: sent(
      'mattermost.json',
      /./,
      attachment(
        z.object({
          title: z.string(),
          title_link: z.string(),
          text: z.string(),
          fallback: z.string(),
          color: z.string(),
        }),
      ).transform(({ username, attachments: [one] }) => ({
        'mattermost.default.username': username ?? '',
        'mattermost.default.title': one.title,
        'mattermost.default.titlelink': one.title_link,
        'mattermost.default.text': one.text,
        'mattermost.default.fallback': one.fallback,
        'mattermost.default.color': one.color,
      })),
    ),
  },
  {
    file: 'rocketchat.json',
    bodies: sent(
      'rocketchat.json',
      /./,
      attachment(z.object({ title: z.string(), title_link: z.string() })).transform(({ attachments: [one] }) => ({
        'rocketchat.default.title': one.title,
        'rocketchat.default.titlelink': one.title_link,
        'rocketchat.default.emoji': '',
        'rocketchat.default.iconurl': '',
        'rocketchat.default.text': '',
      })),
    ),
  },
  {
    file: 'msteams.json',
    bodies: sent(
      'msteams.json',
      /./,
      z.object({ title: z.string(), summary: z.string(), text: z.string() }).transform((body) => ({
        'msteams.default.title': body.title,
        'msteams.default.summary': body.summary,
        'msteams.default.text': body.text,
      })),
    ),
  },
  {
    file: 'msteamsv2.json',
    bodies: sent(
      'msteamsv2.json',
      /./,
      attachment(
        z.object({
          content: z.object({ body: z.tuple([z.object({ text: z.string() }), z.object({ text: z.string() })]) }),
        }),
      ).transform(({ attachments: [{ content }] }) => ({
        'msteamsv2.default.title': content.body[0].text,
        'msteamsv2.default.text': content.body[1].text,
      })),
    ),
  },
  {
    file: 'discord.json',
    bodies: sent(
      'discord.json',
      /./,
      z
        .object({ content: z.string(), embeds: z.tuple([z.object({ title: z.string(), description: z.string() })]) })
        .transform(({ content, embeds: [embed] }) => ({
          'discord.default.content': content,
          'discord.default.title': embed.title,
          'discord.default.message': embed.description,
        })),
    ),
  },
  {
    file: 'webex.json',
    bodies: sent(
      'webex.json',
      /./,
      z.object({ markdown: z.string() }).transform(({ markdown }) => ({
        'webex.default.message': markdown,
        // there is no sample of these two, which say the same
        'pushover.default.message': markdown,
        'sns.default.message': markdown,
      })),
    ),
  },
  {
    file: 'pagerduty-default.json',
    bodies: sent(
      'pagerduty-default.json',
      /./,
      z
        .object({ client: z.string(), client_url: z.string(), payload: z.object({ summary: z.string() }) })
        .transform((body) => ({
          'pagerduty.default.client': body.client,
          'pagerduty.default.clientURL': body.client_url,
          'pagerduty.default.description': body.payload.summary,
        })),
    ),
  },
  {
    file: 'opsgenie.json',
    bodies: sent(
      'opsgenie.json',
      /\/v2\/alerts$/,
      z.object({ message: z.string(), description: z.string(), source: z.string() }).transform((body) => ({
        'opsgenie.default.message': body.message,
        'opsgenie.default.description': body.description,
        'opsgenie.default.source': body.source,
      })),
    ),
  },
  {
    file: 'victorops.json',
    bodies: sent(
      'victorops.json',
      /./,
      z
        .object({ state_message: z.string(), entity_display_name: z.string(), monitoring_tool: z.string() })
        .transform((body) => ({
          'victorops.default.state_message': body.state_message,
          'victorops.default.entity_display_name': body.entity_display_name,
          'victorops.default.monitoring_tool': body.monitoring_tool,
        })),
    ),
  },
  {
    file: 'wechat.json',
    bodies: sent(
      'wechat.json',
      /send/,
      z.object({ text: z.object({ content: z.string() }) }).transform(({ text: { content } }) => ({
        'wechat.default.message': content,
      })),
    ),
  },
  {
    file: 'jira.json',
    bodies: sent(
      'jira.json',
      /issue$/,
      z
        .object({
          fields: z.object({ summary: z.string(), description: z.string(), priority: z.object({ name: z.string() }) }),
        })
        .transform(({ fields }) => ({
          'jira.default.summary': fields.summary,
          'jira.default.description': fields.description,
          'jira.default.priority': fields.priority.name,
        })),
    ),
  },
]

describe.each(samples)('$file', ({ bodies }) => {
  const cases = bodies.flatMap((body, i) =>
    Object.entries(body).map(([name, said]) => ({ step: steps[i] ?? '', name, said, over: life[i] ?? first })),
  )
  test.each(cases)('$step: $name', ({ name, said, over }) => {
    expect(text(name, over)).toBe(said)
  })
})

describe('telegram.json', () => {
  const messages = requests
    .parse(vectors('telegram.json'))
    .map(({ body }) => z.object({ text: z.string(), parse_mode: z.string().optional() }).parse(body))
  // two receivers, one with parse mode HTML, in no fixed order
  const plain = messages.filter((message) => message.parse_mode === undefined)
  const marked = messages.filter((message) => message.parse_mode === 'HTML')

  test.each(steps.map((step, i) => ({ step, said: plain[i]?.text, over: life[i] ?? first })))(
    '$step',
    ({ said, over }) => {
      expect(text('telegram.default.message', over)).toBe(said)
    },
  )
  test.each(steps.map((step, i) => ({ step, said: marked[i]?.text ?? '', over: life[i] ?? first })))(
    '$step, as HTML',
    ({ said, over }) => {
      expect(html('telegram.default.message', over)).toBe(said)
    },
  )
})

describe('email.default.html', () => {
  test.each([
    { name: 'email-some-resolved.eml', over: someResolved },
    { name: 'email-all-resolved.eml', over: allResolved },
  ])('$name', ({ name, over }) => {
    const mail = file(`../vectors/${name}`)
    expect(html('email.default.html', over)).toBe(htmlPart(mail))
    expect(text('email.default.subject', over)).toBe(/^Subject: (.*)$/m.exec(mail)?.[1])
  })

  test('one alert, without annotations and source', () => {
    const [alert] = first.alerts
    if (!alert) throw new Error('no alert')
    const page = html('email.default.html', {
      ...first,
      alerts: [{ ...alert, annotations: new Map(), generatorURL: '' }],
    })
    expect(page).toContain('1 alert for ')
    expect(page).not.toContain('Annotations')
    expect(page).toContain('<a href="" style=')
  })

  test.each([
    ['javascript:alert(1)', '#ZgotmplZ'],
    ['JAVASCRIPT:alert(1)//https://x', '#ZgotmplZ'],
    ['HTTPS://prometheus.example.com/graph', 'HTTPS://prometheus.example.com/graph'],
    ['/graph?at=10:00', '/graph?at=10:00'],
  ])('a source %s becomes %s', (generatorURL, link) => {
    const [alert] = first.alerts
    if (!alert) throw new Error('no alert')
    expect(html('email.default.html', { ...first, alerts: [{ ...alert, generatorURL }] })).toContain(`href="${link}"`)
  })
})

describe('definitions that no sample holds', () => {
  const subject = '[FIRING:3] DiskFull db (eu-1 node)'
  const url = 'http://alerts.example.com:9093/#/alerts?receiver=team-db%5C.all%5C%2B1'
  test.each([
    ['__subject', subject],
    ['__alertmanager', 'Alertmanager'],
    ['__alertmanagerURL', url],
    ['__description', ''],
    ['rocketchat.default.alias', 'Alertmanager'],
    ['pushover.default.title', subject],
    ['pushover.default.url', url],
    ['sns.default.subject', subject],
    ['wechat.default.to_user', ''],
    ['wechat.default.to_party', ''],
    ['wechat.default.to_tag', ''],
    ['wechat.default.agent_id', ''],
    ['email.default.subject', subject],
  ])('%s: %j', (name, said) => {
    expect(text(name, joined)).toBe(said)
  })

  test('the subject ends in a blank where there are no other common labels', () => {
    expect(text('__subject', { ...joined, commonLabels: joined.groupLabels })).toBe('[FIRING:3] DiskFull db ')
  })

  test.each([
    { firing: ['info', 'critical', 'warning'], resolved: [], priority: 'High' },
    { firing: ['critical', 'info'], resolved: [], priority: 'High' },
    { firing: ['info', 'warning'], resolved: ['critical'], priority: 'Medium' },
    { firing: ['warning', 'info', 'page'], resolved: [], priority: 'Medium' },
    { firing: ['info', ''], resolved: ['critical'], priority: 'Low' },
    { firing: ['page', ''], resolved: ['info', 'warning'], priority: 'Medium' },
    { firing: [], resolved: ['critical'], priority: 'High' },
    { firing: ['page'], resolved: [''], priority: '' },
    { firing: [], resolved: [], priority: '' },
  ])('jira.default.priority of $firing and $resolved: $priority', ({ firing, resolved, priority }) => {
    const [alert] = first.alerts
    if (!alert) throw new Error('no alert')
    const alertsOf = (severities: readonly string[], is: 'firing' | 'resolved') =>
      severities.map((severity) => ({
        ...alert,
        status: is,
        labels: new Map(severity ? [['severity', severity]] : []),
      }))
    const alerts = [...alertsOf(firing, 'firing'), ...alertsOf(resolved, 'resolved')]
    expect(text('jira.default.priority', { ...first, alerts })).toBe(priority)
  })
})

describe('vectors of group define', () => {
  const data = vectorData
  const cases = z
    .object({
      vectors: z.array(
        z.object({
          group: z.string(),
          type: z.enum(['text', 'html']),
          template: z.string(),
          output: z.string().optional(),
        }),
      ),
    })
    .parse(vectors('template-vectors.json'))
    .vectors.filter(({ group, output }) => group === 'define' && output !== undefined)

  test.each(cases)('$type: $template', ({ type, template, output }) => {
    expect(templates[type](template, data, at)).toBe(output)
  })
})

/** The text/html part of a captured message: dots of the SMTP dialogue and quoted-printable undone. */
function htmlPart(mail: string): string {
  const boundary = /boundary=(\w+)/.exec(mail)?.[1] ?? ''
  const part = mail.split(`\n--${boundary}`).find((one) => one.includes('Content-Type: text/html')) ?? ''
  const bytes = part
    .slice(part.indexOf('\n\n') + 2)
    .replace(/^\.\./gm, '.')
    .replaceAll('=\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
