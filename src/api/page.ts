import { join } from 'node:path'
import express, { Router } from 'express'
import type { ApiDeps } from './deps.ts'

/** The page: one document that is asked for anew, and assets whose names change with what they hold. */
export function page({ webRoot }: Pick<ApiDeps, 'webRoot'>): Router {
  const router = Router()
  router.get('/', (_request, response) => {
    response.set('Cache-Control', 'no-cache').sendFile(join(webRoot, 'index.html'))
  })
  router.get('/icon.svg', (_request, response) => response.sendFile(join(webRoot, 'icon.svg')))
  router.use('/assets', express.static(join(webRoot, 'assets'), { index: false, immutable: true, maxAge: '365d' }))
  // where the inbox was before it was part of the page
  router.get('/inbox', (_request, response) => response.redirect('./#/inbox'))
  return router
}
