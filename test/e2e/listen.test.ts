import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isLoopback } from '../../src/config/web/exposure.ts'
import { bcrypt } from '../helpers/access.ts'
import { builtCli } from '../helpers/built.ts'
import { startEngine, tempDir } from '../helpers/engine.ts'

const config = `
route: { receiver: nobody }
receivers: [{ name: nobody }]
`

test.each([
  ['127.0.0.1', true],
  ['127.9.8.7', true],
  ['::1', true],
  ['localhost', true],
  [undefined, false],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.0.0.1.example.com', false],
  ['1270.0.0.1', false],
])('%s is of this machine alone: %s', (host, isLocal) => {
  expect(isLoopback(host)).toBe(isLocal)
})

describe('off this machine, and nobody has to say who they are', () => {
  test.each([':0', '0.0.0.0:0', '[::]:0'])('listening on %s is refused, with both ways out', (address) => {
    using dir = tempDir()
    writeFileSync(join(dir.path, 'tocsin.yml'), config)
    const args = ['serve', `--config.file=${join(dir.path, 'tocsin.yml')}`, `--storage.path=${dir.path}`]
    const { status, stdout } = spawnSync(process.execPath, [builtCli(), ...args, `--web.listen-address=${address}`], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect(status).toBe(1)
    expect(stdout).toContain(
      'set --web.config.file with basic_auth_users, or say --web.allow-anonymous, or listen on 127.0.0.1',
    )
  })

  test('is done where it is said in so many words', async () => {
    await using engine = await startEngine({ config, args: ['--web.listen-address=:0', '--web.allow-anonymous'] })
    expect((await fetch(`${engine.url}/api/v2/status`)).status).toBe(200)
  })

  test('is no question with a web config file, whose users cannot all be taken away later', async () => {
    using dir = tempDir()
    const file = join(dir.path, 'web.yml')
    writeFileSync(file, `basic_auth_users: { bob: '${bcrypt('x')}' }\n`)
    await using engine = await startEngine({ config, args: ['--web.listen-address=:0', `--web.config.file=${file}`] })
    expect((await fetch(`${engine.url}/api/v2/status`)).status).toBe(401)
    writeFileSync(file, '')
    await engine.says(/web config file was not loaded/)
    expect((await fetch(`${engine.url}/api/v2/status`)).status).toBe(401)
  })
})

test('a web config file that is wrong is a reason not to start, told with its place', async () => {
  using dir = tempDir()
  const file = join(dir.path, 'web.yml')
  writeFileSync(file, 'basic_auth_users:\n  bob: hunter2\n')
  const start = startEngine({ config, args: [`--web.config.file=${file}`] })
  await expect(start).rejects.toThrow(/web\.yml:2:8: basic_auth_users\.bob: is no bcrypt hash; make one with htpasswd/)
  await expect(start).rejects.not.toThrow(/hunter2/)
})
