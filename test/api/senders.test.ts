import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startEngine } from '../helpers/engine.ts'

const config = `
route: { receiver: a }
receivers: [{ name: a }]
`

test('what lay unread in a socket while the engine stood still is taken only if its sender still waits', async () => {
  await using engine = await startEngine({ config })
  const { port } = new URL(engine.url)
  const send = async (alertname: string) => {
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    const body = JSON.stringify([{ labels: { alertname } }])
    const head = `POST /api/v2/alerts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    await new Promise((done) => socket.write(head + body, done))
    return socket
  }
  engine.process.kill('SIGSTOP')
  for (let i = 0; i < 5; i++) (await send('left')).destroy()
  const patient = await send('stayed')
  await sleep(1500)
  engine.process.kill('SIGCONT')
  const [answer] = await once(patient, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
  patient.destroy()
  const seen = await engine.get<{ labels: { alertname: string } }[]>('/api/v2/alerts')
  expect(seen.map(({ labels }) => labels.alertname)).toEqual(['stayed'])
  const metrics = await (await fetch(`${engine.url}/metrics`)).text()
  expect(metrics).toContain('tocsin_refused_total{reason="sender gone"} 5')
}, 30_000)
