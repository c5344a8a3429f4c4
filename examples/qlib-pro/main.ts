import { parseArgs } from 'node:util'
import { openPlatform } from './platform.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['QLIB_PRO_PORT'] ?? '9464' },
    host: { type: 'string', default: process.env['QLIB_PRO_HOST'] ?? '127.0.0.1' },
  },
})
const platform = await openPlatform(Number(values.port), values.host).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}; choose a port with --port\n`)
  process.exit(1)
})
process.stdout.write(`Qlib Pro, simulated: ${platform.url}/metrics\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void platform[Symbol.asyncDispose]())
