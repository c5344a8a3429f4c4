import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'
import { z } from 'zod'

const question = z.object({ id: z.number(), password: z.string(), hash: z.string() })

// a thread of its own: a hash takes a tenth of a second, in which nothing else would be answered
parentPort?.on('message', (message: unknown) => {
  const { id, password, hash } = question.parse(message)
  parentPort?.postMessage({ id, fits: compareSync(password, hash) }, [])
})
