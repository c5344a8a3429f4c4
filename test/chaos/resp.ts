/** Redis' protocol (RESP 2 and 3) as far as a proxy has to know it: where a command or an answer ends. */
export type Frame = Buffer

const CR = 0x0d

/** The first command of a buffer: its first two words, and where it ends; undefined where it is not all there. */
export function commandAt(buffer: Frame): { words: string[]; end: number } | undefined {
  const head = lineAt(buffer, 0)
  if (!head) return undefined
  if (buffer[0] !== 0x2a) return { words: head.text.split(' '), end: head.end } // an inline command
  const words: string[] = []
  let at = head.end
  for (let left = Number(head.text.slice(1)); left > 0; left--) {
    const size = lineAt(buffer, at)
    if (!size) return undefined
    const length = Number(size.text.slice(1))
    if (size.end + length + 2 > buffer.length) return undefined
    // a script's text, which may be long, is only asked for where it is the second word
    if (words.length < 2) words.push(buffer.toString('utf8', size.end, size.end + length))
    at = size.end + length + 2
  }
  return { words, end: at }
}

/** Where the answer that begins at an offset ends; undefined where it is not all there. */
export function replyEnd(buffer: Frame, from: number): number | undefined {
  const head = lineAt(buffer, from)
  if (!head) return undefined
  const type = head.text[0] ?? ''
  const count = Number(head.text.slice(1))
  if ('$=!'.includes(type)) {
    if (count < 0) return head.end
    return head.end + count + 2 <= buffer.length ? head.end + count + 2 : undefined
  }
  if (!'*~>%|'.includes(type)) return head.end
  let at: number | undefined = head.end
  const parts = '%|'.includes(type) ? 2 * count : count
  for (let left = parts; left > 0 && at !== undefined; left--) at = replyEnd(buffer, at)
  // an attribute stands before the answer that it is about
  return type === '|' && at !== undefined ? replyEnd(buffer, at) : at
}

function lineAt(buffer: Frame, from: number): { text: string; end: number } | undefined {
  const cr = buffer.indexOf(CR, from)
  if (cr === -1 || cr + 1 >= buffer.length) return undefined
  return { text: buffer.toString('latin1', from, cr), end: cr + 2 }
}
