import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startEngine } from '../helpers/engine.ts'

const config = `
route: { receiver: a }
receivers: [{ name: a }]
`
const minutes = (n: number) => new Date(Date.now() + n * 60_000).toISOString()

test('what lay in a socket while the engine stood still, and its sender gave up on, begins nothing anew that has ended since', async () => {
  await using engine = await startEngine({ config })
  const { port } = new URL(engine.url)
  const send = async (alert: { labels: object; startsAt: string; endsAt: string }) => {
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    const body = JSON.stringify([alert])
    const head = `POST /api/v2/alerts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    await new Promise((done) => socket.write(head + body, done))
    return socket
  }
  const startsAt = minutes(-5)
  const of = (alertname: string) => ({ labels: { alertname }, startsAt, endsAt: minutes(5) })
  const firing = async () => {
    const seen = await engine.get<{ labels: { alertname: string } }[]>('/api/v2/alerts')
    return seen.map(({ labels }) => labels.alertname).toSorted()
  }
  await engine.post('/api/v2/alerts', [of('ended'), of('begun anew')])
  await engine.post(
    '/api/v2/alerts',
    [of('ended'), of('begun anew')].map((one) => ({ ...one, endsAt: minutes(-1) })),
  )
  expect(await firing()).toEqual([])
  engine.process.kill('SIGSTOP')
  for (let i = 0; i < 3; i++) (await send(of('ended'))).destroy()
  ;(await send(of('new'))).destroy()
  const patient = await send(of('begun anew')) // by who knows what it says
  await sleep(1500)
  engine.process.kill('SIGCONT')
  const [answer] = await once(patient, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
  patient.destroy()
  // nobody waits for the others, so all four have to have been read before it is looked
  const metrics = async () => (await fetch(`${engine.url}/metrics`)).text()
  await expect.poll(metrics, { timeout: 15_000 }).toContain('tocsin_alerts_late_total 3')
  await expect.poll(firing, { timeout: 15_000 }).toEqual(['begun anew', 'new'])
}, 30_000)
