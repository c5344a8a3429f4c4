import { once } from 'node:events'
import { type Socket, connect } from 'node:net'

/** A POST with its headers, made once: a sender that costs little leaves the machine to who is measured. */
export function postOf(path: string, body: string): Buffer {
  const bytes = Buffer.from(body)
  const head = `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

/** Sends each over so many connections, the next once the one before is answered. Rejects where one is not answered 200. */
export async function sendAll(url: string, requests: readonly Buffer[], connections: number): Promise<void> {
  const { hostname, port } = new URL(url)
  let next = 0
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(Number(port), hostname)
      socket.setNoDelay(true)
      await once(socket, 'connect')
      try {
        for (let request = requests[next++]; request; request = requests[next++]) await exchange(socket, request)
      } finally {
        socket.destroy()
      }
    }),
  )
}

function exchange(socket: Socket, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let got = ''
    const take = (chunk: Buffer) => {
      got += chunk.toString('latin1')
      const end = got.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0)
      if (got.length < end + 4 + length) return
      socket.off('data', take)
      socket.off('close', fail)
      if (got.startsWith('HTTP/1.1 200')) resolve()
      else reject(new Error(`answered ${got.slice(0, 300)}`))
    }
    const fail = () => reject(new Error('the connection was closed'))
    socket.on('data', take)
    socket.once('close', fail)
    socket.write(request)
  })
}
