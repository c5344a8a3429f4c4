import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Engine, startEngine, tempDir, webhookPayload } from '../helpers/engine.ts'
import { openHttpSink } from '../helpers/http-sink.ts'

test('a broken team’s file is told, and that team’s last routes are in force, over a restart too', async () => {
  using dir = tempDir()
  await using sink = await openHttpSink()
  const config = `
include: [teams/*.yml]
severities: { info: { notify: [webhook], group_wait: 0s } }
teams: { core: { default: true, webhook: "${sink.url}/old/core" } }
`
  const write = (team: string, path: string, key = 'webhook') =>
    writeFileSync(join(dir.path, 'teams', `${team}.yml`), `teams: { ${team}: { ${key}: "${sink.url}/${path}" } }`)
  mkdirSync(join(dir.path, 'teams'))
  write('data', 'old/data')
  write('quant', 'old/quant')
  const reload = ({ url }: Engine) => fetch(`${url}/-/reload`, { method: 'POST' })
  const succeeded = async ({ url }: Engine) =>
    /^alertmanager_config_last_reload_successful (\d)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]
  /** Where an alert of each team goes. */
  const fire = async (engine: Engine, alertname: string, ...teams: string[]) => {
    const before = sink.requests.length
    await engine.post('/webhook', webhookPayload(...teams.map((team) => ({ labels: { alertname, team } }))))
    return (await sink.receives(before + teams.length)).slice(before).map(({ path }) => path)
  }

  const first = await startEngine({ config, dir: dir.path })
  write('data', 'new/data', 'webhoook')
  write('quant', 'new/quant')
  const answer = await reload(first)
  expect(answer.status).toBe(500)
  expect(await answer.text()).toMatch(/teams\/data\.yml:1:18: .*webhoook.*did you mean/)
  expect(await succeeded(first)).toBe('0')
  const told = await fire(first, 'One', 'data', 'quant', 'core')
  expect(told.sort()).toEqual(['/new/quant', '/old/core', '/old/data'])
  await first.kill('SIGTERM')

  await using second = await startEngine({ config, dir: dir.path })
  expect(await succeeded(second)).toBe('0')
  expect((await fire(second, 'Two', 'data', 'quant')).sort()).toEqual(['/new/quant', '/old/data'])

  write('data', 'new/data')
  expect((await reload(second)).status).toBe(200)
  expect(await succeeded(second)).toBe('1')
  expect(await fire(second, 'Three', 'data')).toEqual(['/new/data'])
})

test('what another config’s team of the same name last said stands in for nobody', async () => {
  using dir = tempDir()
  const config = `
include: [teams/*.yml]
severities: { info: { notify: [webhook] } }
teams: { core: { default: true, webhook: "http://127.0.0.1:9/core" } }
`
  const write = (folder: string, text: string) => {
    mkdirSync(join(dir.path, folder, 'teams'), { recursive: true })
    writeFileSync(join(dir.path, folder, 'teams/data.yml'), text)
    writeFileSync(join(dir.path, folder, 'tocsin.yml'), config)
    return join(dir.path, folder, 'tocsin.yml')
  }
  const one = await startEngine({
    config: write('one', 'teams: { data: { webhook: "http://127.0.0.1:9/data" } }'),
    dir: dir.path,
  })
  await one.kill('SIGTERM')
  await using two = await startEngine({
    config: write('two', 'teams: { data: { webhoook: "http://x" } }'),
    dir: dir.path,
  })
  expect(await two.says(/the file is left out$/)).toBeDefined()
})
