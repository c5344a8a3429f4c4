import { join } from 'node:path'
import { Router } from 'express'
import { isTheirs } from '../access/scope.ts'
import type { Incident } from '../incident/incident.ts'
import type { ApiDeps } from './deps.ts'
import { HttpError, cannotRead } from './error.ts'
import { principalOf } from './principals.ts'

/** Acknowledge links: a page that asks, and a button that posts. Opening one changes nothing. */
export function acknowledge({ deps: { store }, webRoot }: ApiDeps): Router {
  const router = Router()

  router.get('/ack/:incident', async (request, response) => {
    const incident = await store.incidents.get(request.params.incident).catch(cannotRead)
    if (!incident || !isTheirs(principalOf(request), incident.team))
      throw new HttpError(404, 'there is no such incident')
    response.set('Cache-Control', 'no-store').type('html').send(page(incident))
  })

  router.get('/ack.js', (_request, response) => {
    response.sendFile(join(webRoot, 'ack.js'))
  })

  return router
}

function page({ id, title, state, severity, team, acknowledgedBy }: Incident): string {
  const done = state !== 'open'
  const says = done ? `This incident is ${state}${acknowledgedBy ? ` by ${acknowledgedBy}` : ''}.` : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Acknowledge: ${html(title)}</title>
<script type="module" src="../ack.js"></script>
</head>
<body>
<main>
<h1>${html(title)}</h1>
<p>Incident ${html(id)}, ${html(severity)}, team ${html(team)}.</p>
<p role="status">${html(says)}</p>
<button type="button" data-incident="${html(id)}"${done ? ' disabled' : ''}>Acknowledge</button>
<noscript><p>The button needs JavaScript. Without it: POST to /api/tocsin/v1/incidents/${html(id)}/ack.</p></noscript>
</main>
</body>
</html>
`
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function html(text: string): string {
  return text.replace(/[&<>"']/g, (c) => escapes[c] ?? c)
}
