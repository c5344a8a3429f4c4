import { describe, expect, test } from 'vitest'
import { rendered } from '../helpers/render-template.ts'

// what Alertmanager 0.33 answers
describe('times, places and layouts', () => {
  test.each([
    ['{{ printf "%d" (index .Alerts 0).StartsAt }}', '{123456789 63907952707 0}'],
    [
      '{{ printf "%#v %+v" (index .Alerts 1).StartsAt (index .Alerts 1).StartsAt }}',
      'time.Date(2026, time.March, 1, 9, 10, 0, 0, time.Location("")) 2026-03-01 09:10:00 +0200 +0200',
    ],
    [
      '{{ printf "%#v" (tz "Europe/Berlin" (index .Alerts 1).StartsAt) }}',
      'time.Date(2026, time.March, 1, 8, 10, 0, 0, time.Location("Europe/Berlin"))',
    ],
    [
      '{{ (index .Alerts 1).StartsAt.Location }}|{{ (index .Alerts 0).StartsAt.Location }}|{{ (tz "Local" (index .Alerts 0).StartsAt).Location }}|{{ (tz "Europe/Berlin" (index .Alerts 0).StartsAt).Location }}',
      '|UTC|Local|Europe/Berlin',
    ],
    [
      '{{ printf "%T %v %s %q" (index .Alerts 0).StartsAt.Location (index .Alerts 0).StartsAt.Location (index .Alerts 0).StartsAt.Location (index .Alerts 0).StartsAt.Location }}',
      '*time.Location UTC UTC "UTC"',
    ],
    [
      '{{ ((index .Alerts 0).StartsAt.In (tz "Europe/Berlin" (index .Alerts 0).StartsAt).Location) }}',
      '2026-03-01 10:05:07.123456789 +0100 CET',
    ],
    [
      '{{ ((index .Alerts 0).StartsAt.In (index .Alerts 0).StartsAt.Location) }}',
      '2026-03-01 09:05:07.123456789 +0000 UTC',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.In 1 }}',
      'template: :1:33: executing "" at <1>: can\'t handle 1 for arg of type *time.Location',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.In "UTC" }}',
      'template: :1:33: executing "" at <"UTC">: can\'t handle "UTC" for arg of type *time.Location',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.In nil }}',
      'template: :1:20: executing "" at <(index .Alerts 0).StartsAt.In>: error calling In: time: missing Location in call to Time.In',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.In $.nope }}',
      'template: :1:34: executing "" at <$.nope>: can\'t evaluate field nope in type template.Data',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.Location.String }}{{ (index .Alerts 0).StartsAt.Location.Foo }}',
      'template: :1:66: executing "" at <0>: can\'t evaluate field Foo in type *time.Location',
    ],
    ['{{ toJson (index .Alerts 0).StartsAt.Location }} {{ if (index .Alerts 0).StartsAt.Location }}t{{ end }}', '{} t'],
    [
      '{{ (index .Alerts 0).StartsAt.Clock }}',
      'template: :1:18: executing "" at <0>: function Clock has 3 return values; should be 1 or 2',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.Date }}',
      'template: :1:18: executing "" at <0>: function Date has 3 return values; should be 1 or 2',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.ISOWeek }}',
      'template: :1:18: executing "" at <0>: invalid function signature for ISOWeek: second return value should be error; is int',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.Zone }}',
      'template: :1:18: executing "" at <0>: invalid function signature for Zone: second return value should be error; is int',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.ZoneBounds }}',
      'template: :1:18: executing "" at <0>: invalid function signature for ZoneBounds: second return value should be error; is time.Time',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.ISOWeek 1 }}',
      'template: :1:18: executing "" at <0>: wrong number of args for ISOWeek: want 0 got 1',
    ],
    [
      '{{ tz "" (index .Alerts 0).StartsAt }} {{ tz "Local" (index .Alerts 0).StartsAt }}',
      '2026-03-01 09:05:07.123456789 +0000 UTC 2026-03-01 09:05:07.123456789 +0000 UTC',
    ],
    [
      '{{ tz "\\\\x" (index .Alerts 0).StartsAt }}',
      'template: :1:3: executing "" at <tz "\\\\x" (index .Alerts 0).StartsAt>: error calling tz: time: invalid location name',
    ],
    [
      '{{ tz "a..b" (index .Alerts 0).StartsAt }}',
      'template: :1:3: executing "" at <tz "a..b" (index .Alerts 0).StartsAt>: error calling tz: time: invalid location name',
    ],
    [
      '{{ tz "utc" (index .Alerts 0).StartsAt }}',
      'template: :1:3: executing "" at <tz "utc" (index .Alerts 0).StartsAt>: error calling tz: unknown time zone utc',
    ],
    [
      '{{ tz "europe/berlin" (index .Alerts 0).StartsAt }}',
      'template: :1:3: executing "" at <tz "europe/berlin" (index .Alerts 0).StartsAt>: error calling tz: unknown time zone europe/berlin',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.AddDate 8000 0 0 }} {{ toJson ((index .Alerts 0).StartsAt.AddDate 7000 0 0) }}',
      '10026-03-01 09:05:07.123456789 +0000 UTC "9026-03-01T09:05:07.123456789Z"',
    ],
    [
      '{{ toJson ((index .Alerts 0).StartsAt.AddDate 8000 0 0) }}',
      'template: :1:3: executing "" at <toJson ((index .Alerts 0).StartsAt.AddDate 8000 0 0)>: error calling toJson: json: error calling MarshalJSON for type *time.Time: year outside of range [0,9999]',
    ],
    [
      '{{ toJson ((index .Alerts 0).StartsAt.AddDate -2100 0 0) }}',
      'template: :1:3: executing "" at <toJson ((index .Alerts 0).StartsAt.AddDate -2100 0 0)>: error calling toJson: json: error calling MarshalJSON for type *time.Time: year outside of range [0,9999]',
    ],
    ['{{ (index .Alerts 0).StartsAt.AddDate -2100 0 0 }}', '-0074-03-01 09:05:07.123456789 +0000 UTC'],
    [
      '{{ toJson (index .Alerts 2).EndsAt.Month }} {{ toJson (safeHtml "<b>") }} {{ toJson .CommonLabels.SortedPairs }}',
      '3 "\\u003cb\\u003e" [{"Name":"alertname","Value":"DiskFull"},{"Name":"job","Value":"node"},{"Name":"team","Value":"db"}]',
    ],
    [
      '{{ (index .Alerts 0).StartsAt.Clock }}',
      'template: :1:18: executing "" at <0>: function Clock has 3 return values; should be 1 or 2',
    ],
    [
      '{{ date "Mon Jan 2 _2 02 002 __2 15:04:05.000 ,999 PM Z07:00 -0700 MST Janx .0001" (index .Alerts 1).StartsAt }}',
      'Sun Mar 1  1 01 060  60 09:10:00.000  AM +02:00 +0200 +0200 Janx .0003',
    ],
    ['{{ tz "America/St_Johns" (index .Alerts 0).StartsAt }}', '2026-03-01 05:35:07.123456789 -0330 NST'],
    [
      '{{ ((tz "Europe/Berlin" (index .Alerts 0).StartsAt).AddDate 0 0 28) }}',
      '2026-03-29 10:05:07.123456789 +0200 CEST',
    ],
    ['{{ (tz "Europe/Paris" ((index .Alerts 0).StartsAt.AddDate -140 0 0)).Format "-07:00:00 MST" }}', '+00:09:21 LMT'],
    [
      '{{ range $z := stringSlice "UTC" "Europe/Berlin" "Australia/Sydney" "Asia/Tokyo" "Europe/Dublin" "Africa/Casablanca" }}{{ with $t := tz $z (index $.Alerts 0).StartsAt }}{{ $t.IsDST }} {{ ($t.AddDate 0 4 0).IsDST }}, {{ end }}{{ end }}{{ (index .Alerts 1).StartsAt.IsDST }}',
      'false false, false true, true false, false false, true false, true false, false',
    ],
    // places are pointers: each tz has its own
    [
      '{{ $t := (index .Alerts 0).StartsAt }}{{ $b := tz "Europe/Berlin" $t }}{{ eq $b $b }} {{ eq $b (tz "Europe/Berlin" $t) }} {{ eq $b ($t.In $b.Location) }} {{ eq $t.Local (tz "Local" $t) }} {{ eq $b.Location $b.Location }} {{ eq $b.Location $t.Location }}',
      'true false true true true false',
    ],
  ])('%s', (template, answer) => {
    expect(rendered(template)).toBe(answer)
  })
})

// what Alertmanager 0.34 answers, by the rules of Go's time.Parse
describe('toDate', () => {
  test.each([
    ['2006-01-02T15:04:05Z07:00', '2026-03-01T09:05:07.25+02:00', '2026-03-01 09:05:07.25 +0200 +0200'],
    ['2006-01-02 15:04:05', '2026-03-01 9:05:07', '2026-03-01 09:05:07 +0000 UTC'],
    ['2006-01-02 15:04:05', '2026-03-01 09:05:07.5', '2026-03-01 09:05:07.5 +0000 UTC'],
    ['2006-01-02 15:04:05.000', '2026-03-01 09:05:07.5', undefined],
    ['Jan _2  2006', 'mar  1 2026', '2026-03-01 00:00:00 +0000 UTC'],
    ['2006 002', '2026 060', '2026-03-01 00:00:00 +0000 UTC'],
    ['2006 002', '2026 366', undefined],
    ['3:04PM', '12:30AM', '0000-01-01 00:30:00 +0000 UTC'],
    ['2006-01-02', '2026-02-29', undefined],
    ['2006-01-02', '2026-02-28 ', undefined],
    ['2', '111', undefined],
    // one that gave back what it took would try all ways to share these out
    ['2'.repeat(40), `${'1'.repeat(70)}x`, undefined],
  ])('%s of %s', (layout, given, time) => {
    expect(rendered(`{{ toDate "${layout}" "${given}" }}`)).toBe(time ?? '0001-01-01 00:00:00 +0000 UTC')
  })
})
