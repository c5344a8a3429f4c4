import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const root = join(import.meta.dirname, '../..')

// The parts of the Compose specification that docker-compose.yml uses. There is no Docker engine where the tests run.
const duration = z.string().regex(/^(\d+(h|m|s|ms|us))+$/)
const service = z.strictObject({
  image: z.string().optional(),
  build: z.string().optional(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  depends_on: z
    .union([
      z.array(z.string()),
      z.record(
        z.string(),
        z.strictObject({
          condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
        }),
      ),
    ])
    .optional(),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.boolean() })).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  profiles: z.array(z.string()).optional(),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+(:ro)?$/)).optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']).optional(),
  stop_grace_period: duration.optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])], z.string()),
      interval: duration.optional(),
      retries: z.int().positive().optional(),
    })
    .optional(),
})
const { services, volumes } = z
  .strictObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })
  .parse(parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8')))
const each = Object.entries(services).map(([name, about]) => ({ name, ...about }))

test('what there is', () => {
  expect(Object.keys(services)).toEqual([
    'redis',
    'tocsin',
    'mailpit',
    'qlib-pro',
    'prometheus',
    'grafana',
    'alertmanager',
  ])
  expect(each.filter(({ profiles }) => profiles).map(({ name }) => name)).toEqual(['alertmanager'])
})

test.each(each)('$name: of one version, or built here; reached from this machine only', ({ image, build, ports }) => {
  expect([image, build].filter((from) => from !== undefined)).toHaveLength(1)
  if (image !== undefined) expect(image).toMatch(/:v?\d+\.\d+\.\d+(-alpine)?$/)
  for (const port of ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
})

test.each(each)('$name: what it mounts and waits for is there', ({ volumes: mounts, depends_on: before }) => {
  for (const mount of mounts ?? []) {
    const [source = ''] = mount.split(':')
    if (source.startsWith('./')) expect(existsSync(join(root, source)), source).toBe(true)
    else expect(volumes).toHaveProperty(source)
  }
  for (const name of Array.isArray(before) ? before : Object.keys(before ?? {})) expect(services).toHaveProperty(name)
})

test('no two take one port, and no volume is left over', () => {
  const ports = each.flatMap((about) => about.ports ?? []).map((port) => port.split(':')[1])
  expect(new Set(ports).size).toBe(ports.length)
  const mounted = new Set(each.flatMap((about) => about.volumes ?? []).map((mount) => mount.split(':')[0]))
  expect(Object.keys(volumes).filter((name) => !mounted.has(name))).toEqual([])
})

test('Redis writes what it takes before it answers, and throws nothing away', () => {
  expect(services['redis']?.command).toMatch(
    /--appendonly yes --appendfsync always .*--maxmemory 1gb --maxmemory-policy noeviction/,
  )
})

test.each(['tocsin', 'qlib-pro'])('%s has a root that it cannot write to, and no rights', (name) => {
  expect(services[name]).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  })
})

test('what Prometheus, Grafana and Alertmanager are told to reach are services', () => {
  const files = ['prometheus.yml', 'alertmanager.yml', 'grafana/provisioning/datasources/prometheus.yml']
  const hosts = files.flatMap((file) =>
    [...readFileSync(join(root, 'monitoring', file), 'utf8').matchAll(/([\w-]+):(?:9093|9464|9090)\b/g)].map(
      ([, host]) => host,
    ),
  )
  expect(new Set(hosts)).toEqual(new Set(['tocsin', 'qlib-pro', 'prometheus']))
  expect(Object.keys(services)).toEqual(expect.arrayContaining(hosts))
})
