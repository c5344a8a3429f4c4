/** The page behind an acknowledge link: nothing happens until somebody presses the button, for mail scanners open links. */
const button = document.querySelector('button')
const state = document.querySelector('[role=status]')

button?.addEventListener('click', () => {
  button.disabled = true
  void acknowledge(button.dataset['incident'] ?? '').then((says) => {
    if (state) state.textContent = says
  })
})

async function acknowledge(incident: string): Promise<string> {
  try {
    const answer = await fetch(`../api/tocsin/v1/incidents/${encodeURIComponent(incident)}/ack`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    })
    const { message, acknowledgedBy } = (await answer.json()) as { message?: string; acknowledgedBy?: string }
    return answer.ok ? `Acknowledged by ${acknowledgedBy ?? 'you'}.` : `Not acknowledged: ${message ?? answer.status}`
  } catch {
    return 'Not acknowledged: Tocsin does not answer. Reload the page and try again.'
  }
}
