import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { checkOn } from '../check.ts'
import type { Environment } from './environment.ts'
import { glob } from './glob.ts'
import { top } from '../schema.ts'
import { type Path, type Source, isMap, readSource } from './source.ts'

interface ReadOptions extends Environment {
  text?: string
  lastGood?: ReadonlyMap<string, string>
}

/** A routing file and what it includes. */
export interface Sources {
  main: Source
  settings: ReturnType<typeof checkOn<typeof top>>
  included: Included[] // in the order of their names
  /** The same, those that are as they were first: where two do not fit together, the mistake is the newer one's. */
  bySeniority: Included[]
  isWhole: boolean // no file is left out
}

/** A file that the routing file includes. */
export interface Included extends Source {
  key: string // its path from the routing file's folder, however either is spelled
}

/** Reads them; `standIns` says by key what is read in a file's place, undefined that it is left out. */
export function readSources(
  file: string,
  standIns: ReadonlyMap<string, string | undefined>,
  { lastGood, text: given, ...environment }: ReadOptions,
): Sources {
  const main = readSource(file, environment, given)
  if (!isMap(main.value) && main.problems.length === 0)
    main.problems.push(main.problem([], 'the file must hold a map of keys and values, such as route: and receivers:'))
  const settings = isMap(main.value) ? checkOn(top, main.value, main, []) : undefined
  const files = (settings?.include ?? []).flatMap((pattern, i) => filesOf(pattern, main, ['include', i]))
  const folder = resolve(dirname(file))
  const keys = files.map((one) => ({ one, key: relative(folder, resolve(one)) }))
  const isLeftOut = (key: string) => standIns.has(key) && standIns.get(key) === undefined
  const included = keys
    .filter(({ key }, i) => !isLeftOut(key) && keys.findIndex((twin) => twin.key === key) === i)
    .map(({ one, key }): Included => Object.assign(readSource(one, environment, standIns.get(key)), { key }))
  for (const source of included) {
    // a file that is being written may be empty just now
    if (source.value === null && source.problems.length === 0 && lastGood?.get(source.key)?.trim())
      source.problems.push(source.problem([], 'the file is empty; delete it to take what it held away'))
  }
  const isSenior = ({ key, text }: Included) => Number(standIns.has(key) || lastGood?.get(key) === text)
  return {
    main,
    settings,
    included,
    isWhole: !keys.some(({ key }) => isLeftOut(key)),
    bySeniority: [...included].sort((a, b) => isSenior(b) - isSenior(a)),
  }
}

/** Named as the routing file is: relative where that is. */
function filesOf(pattern: string, main: Source, path: Path): string[] {
  const folder = dirname(main.file)
  const cannotLook = (message: string) => void main.problems.push(main.problem(path, message))
  const found = glob(pattern, resolve(folder), cannotLook).map((one) =>
    isAbsolute(folder) ? one : join(folder, relative(folder, one)),
  )
  if (found.length === 0 && /[*?[]/.test(pattern)) main.warnings.push(main.problem(path, 'no file fits this pattern'))
  else if (found.length === 0) main.problems.push(main.problem(path, `there is no file ${pattern}`))
  return found
}
