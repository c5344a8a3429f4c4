import { createHash } from 'node:crypto'
import type { Content } from '../alert/again.ts'
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
