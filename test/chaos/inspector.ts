import { WebSocket } from 'undici'
import { type Engine, eventually } from '../helpers/engine.ts'

/** For `NODE_OPTIONS`: an engine that can be told to run something. */
export const inspected = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/** Runs a text of JavaScript within an engine that was started with `inspected`. */
export async function evaluate(engine: Engine, expression: string): Promise<void> {
  const url = await eventually(
    async () => /ws:\/\/\S+/.exec(engine.stderr())?.[0] ?? '',
    (found) => found !== '',
  )
  const socket = new WebSocket(url)
  await new Promise((open, fail) => {
    socket.addEventListener('open', open)
    socket.addEventListener('error', () => fail(new Error(`no inspector answers at ${url}`)))
  })
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }))
  await new Promise((done) => {
    socket.addEventListener('message', done)
    socket.addEventListener('close', done) // it may end the engine
  })
  socket.close()
}
