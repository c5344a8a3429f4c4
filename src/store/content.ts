import { hash } from 'node:crypto'
import type { Content } from '../alert/again.ts'
import type { Alert } from '../alert/alert.ts'
import { toRecord } from '../model/labels.ts'

/** The same texts for the same content. */
export function contentOf({ labels, annotations, generatorURL, startsText }: Alert): Content {
  const body = JSON.stringify([toRecord(labels), toRecord(annotations), generatorURL])
  const digest = hash('sha256', startsText === undefined ? body : `${body}${startsText}`, 'base64url').slice(0, 22)
  return { body, digest }
}
