const colourOf: Readonly<Record<string, string>> = {
  debug: '\u001B[90m',
  info: '\u001B[32m',
  warn: '\u001B[33m',
  error: '\u001B[31m',
  fatal: '\u001B[41m',
}
const GREY = '\u001B[90m'
const PLAIN = '\u001B[0m'
/** What a terminal would obey. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001F\u007F-\u009F]/g

/** A line of the log for people: local time, level, message, then the fields. What is no such line stays as it is. */
export function toHuman(line: string, colours: boolean): string {
  const fields = parse(line)
  if (!fields) return line
  const { timestamp, service: _service, level, message, ...rest } = fields
  const paint = (code: string | undefined, text: string) => (colours && code ? `${code}${text}${PLAIN}` : text)
  const time = new Date(String(timestamp)).toTimeString().slice(0, 8)
  const pairs = Object.entries(rest).map(([name, value]) => `${name}=${shown(value)}`)
  const said = typeof message === 'string' ? message.replace(control, ' ') : ''
  const head = `${paint(GREY, time)} ${paint(colourOf[String(level)], String(level).toUpperCase().padEnd(5))} ${said}`
  return `${head}${pairs.length > 0 ? `  ${paint(GREY, pairs.join(' '))}` : ''}\n`
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
  return text.replace(control, ' ')
}
