import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type RequestHandler } from 'express'
import { type Metrics, openMetrics } from './metrics.ts'
import { type Misbehaviour, isMisbehaviour, misbehaviours } from './misbehaviours.ts'
import { begin, live } from './simulation.ts'

export interface Platform extends AsyncDisposable {
  url: string
}

/** The simulated Qlib Pro, served on this port (0: a free one) until it is disposed of; lives a second each second. */
export async function openPlatform(port: number, host: string): Promise<Platform> {
  const metrics = openMetrics()
  const wrongs = new Set<Misbehaviour>()
  begin(metrics)
  let livedUntil = performance.now() - 1000 // whoever looks first sees a second of life
  const beat = () => {
    const now = performance.now()
    live(metrics, wrongs, (now - livedUntil) / 1000, Date.now() / 1000)
    livedUntil = now
  }
  beat()
  const heart = setInterval(beat, 1000)

  const app = express().disable('x-powered-by').use(measured(metrics))
  app.get('/', (_request, response) => void response.json({ misbehaves: [...wrongs], misbehaviours }))
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
  app.post('/misbehave/:name', named, (request, response) => {
    const { name } = request.params
    if (isMisbehaviour(name)) wrongs.add(name)
    beat() // what is scraped next shows it
    response.json({ misbehaves: [...wrongs] })
  })
  app.post('/recover/:name', named, (request, response) => {
    const { name } = request.params
    if (isMisbehaviour(name)) wrongs.delete(name)
    beat()
    response.json({ misbehaves: [...wrongs] })
  })
  app.post('/recover', (_request, response) => {
    wrongs.clear()
    beat()
    response.json({ misbehaves: [] })
  })

  const server = app.listen(port, host)
  await once(server, 'listening').catch((error: unknown) => {
    clearInterval(heart)
    throw error
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async [Symbol.asyncDispose]() {
      clearInterval(heart)
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** 404 with what there is, for a misbehaviour that there is not. */
const named: RequestHandler<{ name: string }> = (request, response, next) => {
  if (isMisbehaviour(request.params.name)) return next()
  response.status(404).json({
    error: `there is no misbehaviour "${request.params.name}"`,
    misbehaviours: Object.keys(misbehaviours),
  })
}

/** Counts requests by the pattern of their route: raw paths would make a series of whatever anybody asks for. */
function measured(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const stop = metrics.requestDuration.startTimer()
    response.on('finish', () => {
      const route: unknown = request.route
      const endpoint =
        typeof route === 'object' && route !== null && 'path' in route && typeof route.path === 'string'
          ? route.path
          : 'none'
      stop({ method: request.method, endpoint })
      metrics.requests.inc({ method: request.method, endpoint, status: String(response.statusCode) })
    })
    next()
  }
}
