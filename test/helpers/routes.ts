import { Router } from 'express'
import { vi } from 'vitest'
import { z } from 'zod'
import { routes } from '../../src/api/server.ts'
import type { ApiDeps } from '../../src/api/deps.ts'

/** What a route of Express looks like from outside. */
const layer = z.object({
  route: z
    .object({ path: z.union([z.string(), z.array(z.string())]), methods: z.record(z.string(), z.boolean()) })
    .optional(),
})
const withStack = z.object({ stack: z.array(layer) })

/**
 * Every route that the server has, as `GET /api/v2/silence/:id`, found by walking its routers: so that none can be
 * missing from a table of them. `ALL` stands for one that answers whatever the method.
 */
export function routesOf(sandbox: boolean): string[] {
  const use = vi.spyOn(Router.prototype, 'use')
  // walked, and never called: what the routes work with is not looked at
  const api = {
    routePrefix: '',
    sandbox,
    webRoot: '/',
    getConcurrency: 1,
    deps: {},
    admission: { handlers: [] },
  } as unknown as ApiDeps
  const app = routes(api)
  const mounts = use.mock.calls.map((given: unknown[], i) => {
    const [first, ...others] = given
    const router: unknown = use.mock.contexts[i]
    const path = typeof first === 'string' && first !== '/' ? first : ''
    return { router, path, handles: (typeof first === 'string' ? others : given).flat(9) }
  })
  use.mockRestore()
  return [...new Set(walk(app.router, ''))].sort()

  function walk(router: unknown, prefix: string): string[] {
    const own = Object.assign({ stack: [] }, router)
    const here = withStack
      .parse({ stack: own.stack })
      .stack.flatMap(({ route }) =>
        route
          ? [route.path].flat().flatMap((path) => Object.keys(route.methods).map((m) => line(m, prefix + path)))
          : [],
      )
    const below = mounts
      .filter((mount) => mount.router === router)
      .flatMap(({ path, handles }) =>
        handles.flatMap((handle) => {
          if (typeof handle === 'function' && 'stack' in handle) return walk(handle, prefix + path)
          // serve-static is the one middleware that answers by itself
          return typeof handle === 'function' && handle.name === 'serveStatic' ? [`GET ${prefix}${path}/*`] : []
        }),
      )
    return [...here, ...below]
  }
}

function line(method: string, path: string): string {
  return `${method === '_all' ? 'ALL' : method.toUpperCase()} ${path.replace(/(?<=.)\/$/, '')}`
}
