import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'vitest'
import { eventually, startEngine } from '../helpers/engine.ts'

const config = 'route: { receiver: a }\nreceivers: [{ name: a }]\n'

test('answers that wait behind another are over when their connection is: they hold no place among those that are answered at once', async () => {
  await using engine = await startEngine({ config, args: ['--web.get-concurrency=4'] })
  const { port } = new URL(engine.url)
  for (let i = 0; i < 8; i++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    // the first waits for Redis, the others behind it
    const first =
      'POST /api/v2/alerts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]'
    socket.write(first + 'GET /api/v2/alerts HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(6))
    await once(socket, 'data')
    socket.resetAndDestroy()
  }
  await eventually(
    () =>
      Promise.all(Array.from({ length: 4 }, () => fetch(`${engine.url}/api/v2/alerts`).then(({ status }) => status))),
    (all) => all.every((status) => status === 200),
  )
})
