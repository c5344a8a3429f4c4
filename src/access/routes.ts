import type { Role } from './principal.ts'

/** `open`: for everyone, what stands behind it checks for itself; `anyone`: whoever has said who they are. */
export type Needed = Role | 'open' | 'anyone'

/** What is limited by how often a client asks. Never alerts: 429 is final to an Alertmanager. */
export type Limited = 'login' | 'silences' | 'queries' | 'changes'

export interface Rule {
  methods: readonly string[] // HEAD goes as GET
  path: string // under the route prefix; `:name` is one part, a last `*` any number of them
  needed: Needed
  limited?: Limited
}

const row = (methods: string, path: string, needed: Needed, limited?: Limited): Rule => ({
  methods: methods.split(' '),
  path,
  needed,
  ...(limited && { limited }),
})

/**
 * Who may call what: the only place that says so. What does not stand here is an admin's; test/api/roles.test.ts wants a
 * row for each route that the server has, and asks each of them in each role.
 */
export const rules: readonly Rule[] = [
  row('GET', '/-/healthy', 'open'),
  row('GET', '/-/ready', 'open'),
  row('POST', '/-/reload', 'admin'),
  row('GET', '/metrics', 'view'),

  row('POST', '/webhook', 'ingest'),
  row('POST', '/api/v2/alerts', 'ingest'),
  row('GET', '/api/v2/alerts', 'view'),
  row('GET', '/api/v2/alerts/groups', 'view'),
  row('GET', '/api/v2/silences', 'view'),
  row('POST', '/api/v2/silences', 'respond', 'silences'),
  row('GET', '/api/v2/silence/:id', 'view'),
  row('DELETE', '/api/v2/silence/:id', 'respond', 'silences'),
  row('GET', '/api/v2/status', 'view'),
  row('GET', '/api/v2/receivers', 'view'),
  row('GET POST PUT DELETE', '/api/v1/*', 'anyone'), // says that it is gone

  row('GET', '/api/tocsin/v1/incidents', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/incidents/:id', 'view', 'queries'),
  row('POST', '/api/tocsin/v1/incidents/:id/ack', 'respond', 'changes'),
  row('POST', '/api/tocsin/v1/incidents/:id/resolve', 'respond', 'changes'),
  row('POST', '/api/tocsin/v1/incidents/:id/notes', 'respond', 'changes'),
  row('GET', '/api/tocsin/v1/incidents/:id/alerts', 'view', 'queries'),
  row('GET', '/ack/:incident', 'view', 'queries'),
  row('GET', '/ack.js', 'view', 'queries'),
  row('GET', '/ack.css', 'view', 'queries'),

  row('GET', '/api/tocsin/v1/deadletters', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/deadletters/:id', 'view', 'queries'),
  row('POST', '/api/tocsin/v1/deadletters/:id/retry', 'admin', 'changes'),
  row('POST', '/api/tocsin/v1/deadletters/retry', 'admin', 'changes'),
  row('GET', '/api/tocsin/v1/notifications', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/deliveries', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/message', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/message/html', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/ledger', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/health', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/alerts', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/why', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/routing', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/series', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/patterns', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/kpis', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/log-level', 'admin', 'queries'),
  row('PUT', '/api/tocsin/v1/log-level', 'admin', 'changes'),
  row('GET', '/api/tocsin/v1/audit', 'admin', 'queries'),
  row('GET', '/api/tocsin/v1/inbox', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/inbox/:id/html', 'view', 'queries'),
  row('GET', '/api/tocsin/v1/events', 'view', 'queries'),

  row('POST', '/api/tocsin/v1/session', 'open', 'login'),
  row('GET', '/api/tocsin/v1/session', 'anyone', 'queries'),
  row('DELETE', '/api/tocsin/v1/session', 'open'),

  // each vendor's signature says who calls
  row('POST', '/callbacks/slack', 'open'),
  row('POST', '/callbacks/pagerduty', 'open'),
  row('POST', '/callbacks/twilio/status', 'open'),
  row('POST', '/callbacks/twilio/sms', 'open'),

  // the page holds nothing before it has asked, and lets its reader sign in
  row('GET', '/', 'open'),
  row('GET', '/icon.svg', 'open'),
  row('GET', '/assets/*', 'open'),
  row('GET', '/inbox', 'open'),
]

const compiled = rules.map((rule) => ({ rule, pattern: patternOf(rule.path) }))

/** The rule for a request; undefined where there is none. */
export function ruleFor(method: string, path: string): Rule | undefined {
  const asked = method === 'HEAD' ? 'GET' : method
  return compiled.find(({ rule, pattern }) => rule.methods.includes(asked) && pattern.test(path))?.rule
}

/** Whether something answers at a path, whatever the method. */
export function isKnown(path: string): boolean {
  return compiled.some(({ pattern }) => pattern.test(path))
}

/** As Express matches: in whatever case, a slash behind it or none. */
function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : quoted(part)))
  return new RegExp(`^${parts.join('/')}/?$`, 'i')
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
