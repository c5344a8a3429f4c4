import { print } from '../format.ts'
import { Safe, type Value } from '../value.ts'

/** What an escaper puts for a value that may not stand where it is printed; searchable in the output. */
export const refused = 'ZgotmplZ'

/** A value as text, and whether it is trusted to be HTML or a URL. An absent value is empty. */
export function toPrinted(value: Value): { text: string; trusted: Safe['kind'] | undefined } {
  if (value instanceof Safe) return { text: value.text, trusted: value.kind }
  return { text: value === undefined ? '' : print([value]), trusted: undefined }
}
