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

  for (const file of ['ack.js', 'ack.css'])
    router.get(`/${file}`, (_request, response) => response.sendFile(join(webRoot, file)))

  return router
}

function page({ id, title, description, state, severity, team, acknowledgedBy, createdAt }: Incident): string {
  const done = state !== 'open'
  const says = done ? `This incident is ${state}${acknowledgedBy ? ` by ${acknowledgedBy}` : ''}.` : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Acknowledge: ${html(title)}</title>
<link rel="icon" href="../icon.svg">
<link rel="stylesheet" href="../ack.css">
<script type="module" src="../ack.js"></script>
</head>
<body>
<main>
<p class="about">${html(severity)} · team ${html(team)} · since <time datetime="${html(createdAt)}">${html(createdAt)}</time></p>
<h1>${html(title)}</h1>
${description ? `<p>${html(description)}</p>` : ''}
<button type="button" data-incident="${html(id)}"${done ? ' hidden' : ''}>Acknowledge</button>
<p role="status">${html(says)}</p>
<noscript><p>The button needs JavaScript. Without it: POST to /api/tocsin/v1/incidents/${html(id)}/ack.</p></noscript>
<p><a href="../#/incidents/${encodeURIComponent(id)}">All that happened</a></p>
</main>
</body>
</html>
`
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function html(text: string): string {
  return text.replace(/[&<>"']/g, (c) => escapes[c] ?? c)
}
