import './ack.css'
import { ownName } from './data/own-name.ts'

/** The page behind an acknowledge link: nothing happens until somebody presses the button, for mail scanners open links. */
const button = document.querySelector('button')
const state = document.querySelector('[role=status]')
const since = document.querySelector('time')

if (since) {
  since.title = since.dateTime
  since.textContent = new Date(since.dateTime).toLocaleString()
}
button?.addEventListener('click', () => {
  button.disabled = true
  void acknowledge(button.dataset['incident'] ?? '').then(({ isDone, says }) => {
    if (state) state.textContent = says
    button.disabled = false
    button.hidden = isDone
  })
})

async function acknowledge(incident: string): Promise<{ isDone: boolean; says: string }> {
  const by = ownName().trim() // where nobody has to sign in; elsewhere the engine knows
  try {
    const answer = await fetch(`../api/tocsin/v1/incidents/${encodeURIComponent(incident)}/ack`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(by === '' ? {} : { by }),
    })
    const { message, acknowledgedBy } = (await answer.json()) as { message?: string; acknowledgedBy?: string }
    return answer.ok
      ? { isDone: true, says: `Acknowledged by ${acknowledgedBy ?? 'you'}.` }
      : { isDone: false, says: `Not acknowledged: ${message ?? answer.status}` }
  } catch {
    return { isDone: false, says: 'Not acknowledged: Tocsin does not answer. Try again.' }
  }
}
