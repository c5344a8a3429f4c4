import { type Fault, type RawAlert, normalise } from '../alert/normalise.ts'
import { type MatcherMode, isLabelName } from '../match/mode.ts'
import { formatInstant } from '../model/instant.ts'
import type { Limits } from '../model/limits.ts'
import { type Batch, checkCount, withinLimits } from './batch.ts'
import { isObject, kindOf, quote, readAlert } from './read.ts'
import { IngestError } from './reject.ts'

/**
 * Alertmanager's webhook payload, version 4 (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
 * It is a notification, not a heartbeat: a firing alert has no end and none is made up, since the
 * sender repeats it only every `repeat_interval` and sends its resolve. That an alert is missing from
 * a payload means nothing. Throws IngestError where it is no such payload, or one of too many alerts.
 */
export function webhookBatch(body: unknown, at: number, mode: MatcherMode, limits: Limits): Batch {
  if (!isObject(body)) throw new IngestError(`the body must be an Alertmanager webhook object, not ${kindOf(body)}`)
  const version = body['version'] ?? '4'
  if (version !== '4') {
    const given = typeof version === 'string' ? quote(version) : kindOf(version)
    throw new IngestError(`version: ${given} is not supported; Alertmanager's webhook has version "4"`)
  }
  const list = body['alerts']
  if (!Array.isArray(list)) throw new IngestError(`alerts: must be a list of alerts, not ${kindOf(list)}`)

  checkCount(list, limits)
  const truncated = body['truncatedAlerts']
  const isName = (name: string) => isLabelName(name, mode)
  return {
    size: list.length,
    truncated: typeof truncated === 'number' && truncated > 0 && Number.isSafeInteger(truncated) ? truncated : 0,
    read(index) {
      const raw = withinLimits(readWebhookAlert(list[index], at), limits)
      return 'reason' in raw ? raw : normalise(raw, at, undefined, isName)
    },
  }
}

/** `status` decides over the end: a firing alert has none, a resolved one without ends now. */
function readWebhookAlert(value: unknown, at: number): RawAlert | Fault {
  const raw = readAlert(value)
  if ('reason' in raw || !isObject(value)) return raw
  const status = value['status']
  if (status === 'firing') return { ...raw, endsAt: undefined }
  if (status === 'resolved') return { ...raw, endsAt: raw.endsAt ?? { at, text: formatInstant(at) } }
  const given = typeof status === 'string' ? quote(status) : kindOf(status)
  const reason = `must be "firing" or "resolved", not ${given}`
  return { field: 'status', reason, answer: { code: 'rule', message: reason } }
}
