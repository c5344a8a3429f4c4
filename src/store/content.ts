import { createHash } from 'node:crypto'
import type { Content, Kept } from '../alert/again.ts'
import type { Alert } from '../alert/alert.ts'
import { toRecord } from '../model/labels.ts'

/** The same texts for the same content. */
export function contentOf({ labels, annotations, generatorURL, startsText }: Alert): Content {
  const body = JSON.stringify([toRecord(labels), toRecord(annotations), generatorURL])
  const digest = createHash('sha256')
    .update(startsText === undefined ? body : `${body}${startsText}`)
    .digest('base64url')
    .slice(0, 22)
  return { body, digest }
}

/** What `repeat` takes an alert by, once it was accepted; undefined for one from before 2001 or after 2286. */
export function keptAs(
  { fingerprint, startsAt, startsText = '-' }: Alert,
  { digest }: Content,
  by: { routing: string; rules: string },
): Kept | undefined {
  const head = `${fingerprint}${startsAt}`
  return head.length === 29
    ? { fingerprint, startsAt, head, startsText, tail: ` ${digest} ${by.routing}`, rules: by.rules }
    : undefined
}
