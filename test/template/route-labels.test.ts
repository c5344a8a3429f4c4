import { expect, test } from 'vitest'
import { notificationOf, at, templates } from '../helpers/notification.ts'

const { data } = notificationOf()
const render = (sources: Record<string, string>) => {
  const failed: string[] = []
  const rendered = templates.routeLabels(new Map(Object.entries(sources)), data, at, (name, { message }) =>
    failed.push(`${name}: ${message}`),
  )
  return { rendered: Object.fromEntries(rendered), failed }
}

test.each([
  ['plain texts', { a: 'x', b: 'y' }, { a: 'x', b: 'y' }],
  ['the group', { a: '{{ .GroupLabels.alertname }}' }, { a: 'DiskFull' }],
  ['each other, in any order', { a: '<{{ routeLabels "b" }}>', b: '{{ .Status }}' }, { a: '<firing>', b: 'firing' }],
  ['one that is not there', { a: '<{{ routeLabels "b" }}>' }, { a: '<>' }],
  [
    'values are not templates',
    { a: '{{ routeLabels "b" }}', b: '{{ "{{ .Status }}" }}' },
    { a: '{{ .Status }}', b: '{{ .Status }}' },
  ],
])('%s', (_what, sources, rendered) => {
  expect(render(sources)).toEqual({ rendered, failed: [] })
})

test('one that fails, or refers to itself, is left out with those that need it', () => {
  const { rendered, failed } = render({
    a: '{{ routeLabels "b" }}',
    b: '{{ routeLabels "a" }}',
    c: '{{ .Nope }}',
    d: '{{ routeLabels "c" }}',
    e: 'x',
  })
  expect(rendered).toEqual({ e: 'x' })
  expect(failed).toEqual([
    expect.stringMatching(/^a: .*route label "a" refers to itself/),
    expect.stringMatching(/^b: .*route label "b" refers to itself/),
    expect.stringMatching(/^c: .*can't evaluate field Nope/),
    expect.stringMatching(/^d: .*can't evaluate field Nope/),
  ])
})

test('templates of a notification see them', () => {
  const labelled = { ...data, routeLabels: new Map([['team', 'db']]) }
  expect(templates.text('{{ .RouteLabels.team }} {{ routeLabels "team" }}', labelled, at)).toBe('db db')
})
