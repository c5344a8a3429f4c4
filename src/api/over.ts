import type { ServerResponse } from 'node:http'

/**
 * Runs when an answer is over: sent, or its connection gone. An answer that waits behind another of the same connection
 * (pipelining) never says that it is closed when the connection is. Returns how to stop waiting.
 */
export function whenOver(response: ServerResponse, run: () => void): () => void {
  const { socket } = response.req
  socket.setMaxListeners(0) // as many as are asked at once over it
  const forget = () => {
    response.off('close', over)
    socket.off('close', over)
  }
  const over = () => {
    forget()
    run()
  }
  response.once('close', over)
  socket.once('close', over)
  if (socket.destroyed) over()
  return forget
}
