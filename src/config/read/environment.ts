/** Where variables come from, and what stands in for those that are not set. */
export interface Environment {
  env: Readonly<Record<string, string | undefined>>
  sandbox: boolean
}

/** A reference, or an action of a template: what stands in one is the template's (`"${group}"` of a regex). */
const reference = /\{\{[^]*?\}\}|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g
const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** What stands in a reference, in the text of a file: nothing that could end a quoted text or a line, nor so long that looking for its end takes time. */
const written = /\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}"'\\\n]{0,1000})?\}/g
/** What means something to YAML, and what stands for it meanwhile: characters that no text may hold (U+FDD0…). */
const signs = '{},:[]#&*!|>%@`?- =<'
const NONCHARACTERS = 0xfdd0
const shielded = /[\ufdd0-\ufdef]/g

/** A YAML text whose references are plain characters, as many as before: `{` would begin a map in `[${A}, ${B}]`. */
export function shield(text: string): string {
  return text.replace(written, (whole) =>
    whole.replace(/[^\w$]/g, (c) => (signs.includes(c) ? String.fromCharCode(NONCHARACTERS + signs.indexOf(c)) : c)),
  )
}

/** The reverse, for what came of it. */
export function unshield(text: string): string {
  return text.replace(shielded, (c) => signs[c.charCodeAt(0) - NONCHARACTERS] ?? c)
}

/**
 * Puts in the values of `${NAME}` and `${NAME:-default}`. After parsing, so that no value can be YAML;
 * an empty variable counts as not set, as in a shell's `:-`. `missing` names those without value or default,
 * `taken` holds those whose value was put in, value → name.
 */
export function expand(
  text: string,
  path: readonly PropertyKey[],
  { env, sandbox }: Environment,
): { text: string; missing: string[]; taken: Map<string, string> } {
  const missing: string[] = []
  const taken = new Map<string, string>()
  const put = (whole: string, name: string | undefined, otherwise: string | undefined) => {
    if (name === undefined) return whole
    const value = env[name] || otherwise
    if (env[name]) taken.set(env[name], name)
    if (value !== undefined) return value
    // stood in for also where it is an error, so that the place has that one error only
    if (!sandbox) missing.push(name)
    return standIn(name, path)
  }
  // behind the last end there is nothing to look for: to look from every beginning would take the square of its length
  const lastAction = text.lastIndexOf('}}') + 2
  const actions = lastAction === 1 ? 0 : lastAction
  const last = Math.max(actions, text.lastIndexOf('}') + 1)
  const expanded =
    text.slice(0, actions).replace(reference, put) + text.slice(actions, last).replace(variable, put) + text.slice(last)
  return { text: expanded, missing, taken }
}

/** Shorter values are no secrets, and words of messages. */
const SHORTEST_SECRET = 6

/** A message that quotes no variable's value, wherever in a file it may have been put: their names stand in it instead. */
export function withoutValues(message: string, taken: ReadonlyMap<string, string>): string {
  const values = [...taken.keys()]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
  return values.reduce((text, value) => text.replaceAll(value, `\${${taken.get(value)}}`), message)
}

/** Something that is fit for its place and leads nowhere: nothing leaves the sandbox. */
function standIn(name: string, path: readonly PropertyKey[]): string {
  const key = (path.findLast((part) => typeof part === 'string') ?? '').toLowerCase()
  if (key === 'sms' || (key === 'to' && path.includes('sms_configs')) || key === 'twilio_from') return '+15005550006'
  if (key.includes('smarthost')) return 'sandbox.invalid:587'
  if (key.includes('account_sid')) return `AC${'0'.repeat(32)}`
  if (/^(email|to|from|smtp_from)$/.test(key)) return `${name.toLowerCase()}@sandbox.invalid`
  if (/url|webhook|slack/.test(key)) return `https://sandbox.invalid/${name}`
  return `sandbox-${name}`
}
