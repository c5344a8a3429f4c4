import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './engine.ts'
import { freePort } from './port.ts'

export interface Child extends AsyncDisposable {
  url: string
  process: ChildProcess
}

async function start(command: string, args: string[], url: string): Promise<Child> {
  const child = spawn(command, args, { stdio: 'ignore' })
  const ready = async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok ?? false
  await eventually(ready, (ok) => ok, 30_000)
  return {
    url,
    process: child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

const has = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

/** The Alertmanager that Tocsin is held against: Debian's, or the one that ALERTMANAGER_BIN names. */
export const alertmanagerBinary =
  process.env['ALERTMANAGER_BIN'] ?? (has('prometheus-alertmanager') ? 'prometheus-alertmanager' : 'alertmanager')

/** A real Alertmanager with this alertmanager.yml, outside of any cluster unless its flags say otherwise. */
export async function startAlertmanagerWith(
  config: string,
  dir: string,
  flags: readonly string[] = ['--cluster.listen-address='],
): Promise<Child> {
  const folder = join(dir, 'alertmanager')
  mkdirSync(folder)
  const file = join(folder, 'alertmanager.yml')
  writeFileSync(file, config)
  const port = await freePort()
  const args = [`--config.file=${file}`, `--storage.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`, ...flags]
  return start(alertmanagerBinary, args, `http://127.0.0.1:${port}`)
}

/** A real Alertmanager that tells `webhook` of everything, quickly. */
export async function startAlertmanager(dir: string, webhook: string): Promise<Child> {
  return startAlertmanagerWith(
    `
route: { receiver: tocsin, group_by: [alertname, team, severity], group_wait: 1s, group_interval: 2s, repeat_interval: 1m }
receivers: [{ name: tocsin, webhook_configs: [{ url: '${webhook}', send_resolved: true }] }]
`,
    dir,
  )
}

/** A real Prometheus with this prometheus.yml. */
export async function startPrometheusWith(config: string, dir: string): Promise<Child> {
  const folder = join(dir, 'prometheus')
  mkdirSync(folder)
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, config)
  const port = await freePort()
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--rules.alert.resend-delay=1s',
  ]
  return start('prometheus', args, `http://127.0.0.1:${port}`)
}

export interface Prometheus extends Child {
  /** Makes the rule's expression hold, or no more. */
  setFiring(firing: boolean): Promise<void>
  kill(): Promise<void>
  /** Starts it again after a kill: the same port, rule and data. */
  startAgain(): Promise<void>
}

export interface PrometheusOptions {
  /** What it waits at least before it sends a firing alert again; four times that, it says, an alert holds. */
  resendDelay?: string
  /** How it reaches it: more of its entry under `alertmanagers`, as flow YAML. */
  reach?: string
}

/** A real Prometheus with one rule, evaluated each second, that sends its alerts to `alertmanager`. */
export async function startPrometheus(
  dir: string,
  alertmanager: string,
  { resendDelay = '1s', reach = '' }: PrometheusOptions = {},
): Promise<Prometheus> {
  const folder = join(dir, 'prometheus')
  mkdirSync(folder)
  const rules = join(folder, 'rules.yml')
  const writeRule = (firing: boolean) =>
    writeFileSync(
      rules,
      `
groups:
  - name: qlib
    interval: 1s
    rules:
      - alert: ModelDrift
        expr: vector(1) > ${firing ? 0 : 2}
        labels: { severity: critical, team: quant }
        annotations: { summary: 'Model drifts', description: 'Accuracy is {{ $value | humanizePercentage }}' }
`,
    )
  writeRule(false)
  const file = join(folder, 'prometheus.yml')
  writeFileSync(
    file,
    `
global: { evaluation_interval: 1s, scrape_interval: 1m }
rule_files: ['${rules}']
alerting: { alertmanagers: [{ static_configs: [{ targets: ['${new URL(alertmanager).host}'] }]${reach && `, ${reach}`} }] }
`,
  )
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const run = () =>
    start(
      'prometheus',
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-lifecycle',
        `--rules.alert.resend-delay=${resendDelay}`,
      ],
      url,
    )
  let child = await run()
  return {
    url,
    get process() {
      return child.process
    },
    async setFiring(firing) {
      writeRule(firing)
      const answer = await fetch(`${url}/-/reload`, { method: 'POST' })
      if (!answer.ok) throw new Error(await answer.text())
    },
    async kill() {
      await child[Symbol.asyncDispose]()
    },
    async startAgain() {
      child = await run()
    },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]()
    },
  }
}
