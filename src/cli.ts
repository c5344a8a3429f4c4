#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'

const version: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
const program = new Command('tocsin').description('Alertmanager-compatible alert routing on Redis').version(version)

// what a command needs is imported when it runs: the CLI answers in a fraction of a second
program
  .command('serve')
  .description('run the engine')
  .addOption(new Option('--config.file <file>', 'the routing file').default('routing/tocsin.yml'))
  .addOption(
    new Option('--web.listen-address <address>', 'where to listen; default :9093, with --sandbox 127.0.0.1:9093'),
  )
  .addOption(new Option('--web.external-url <url>', 'the URL under which people reach Tocsin'))
  .addOption(new Option('--redis.url <url>', 'Redis to use; without one, an embedded Redis').env('REDIS_URL'))
  .addOption(new Option('--redis.prefix <name>', 'prefix of all keys in Redis').default('tocsin'))
  .addOption(new Option('--storage.path <folder>', 'data of the embedded Redis').default('data'))
  .addOption(
    new Option('--log.level <level>', 'what to log').choices(['debug', 'info', 'warn', 'error']).default('info'),
  )
  .addOption(new Option('--sandbox', 'deliver to the built-in inbox instead of the world').default(false))
  .action(async (options: Record<string, string | boolean | undefined>) => {
    const { serve } = await import('./serve.ts')
    const sandbox = options['sandbox'] === true
    const exitCode = await serve({
      configFile: text(options['config.file']) ?? '',
      listenAddress: text(options['web.listenAddress']) ?? (sandbox ? '127.0.0.1:9093' : ':9093'),
      externalURL: text(options['web.externalUrl']),
      redisUrl: text(options['redis.url']),
      prefix: text(options['redis.prefix']) ?? '',
      dataDir: text(options['storage.path']) ?? '',
      logLevel: text(options['log.level']) ?? '',
      sandbox,
      env: process.env,
      version,
    })
    process.exit(exitCode) // a channel's idle connection is no reason to stay
  })

program
  .command('check-config')
  .description('check routing files without using them')
  .argument('<files...>')
  .action(async (files: string[]) => {
    const { checkConfig } = await import('./command/check-config.ts')
    const { channels } = await import('./notify/index.ts')
    const { stdout, stderr, env } = process
    process.exitCode = checkConfig(files, { stdout, stderr, env, channels })
  })

program
  .command('demo')
  .description('play a two-minute story of alerts to an engine that runs')
  .addOption(new Option('--url <url>', 'where the engine is').default('http://127.0.0.1:9093'))
  .addOption(new Option('--pace <factor>', 'how long the pauses are; 1 takes two minutes').default('1'))
  .action(async (options: { url: string; pace: string }) => {
    const { demo } = await import('./command/demo.ts')
    process.exitCode = await demo({ url: options.url, pace: Number(options.pace), stdout: process.stdout })
  })

await program.parseAsync()

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
