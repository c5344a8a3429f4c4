import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { builtCli } from '../helpers/built.ts'

/** A change to a file of the build. */
interface Patch {
  file: string
  from: string | RegExp
  to: string
}

/** Engines that break a promise on purpose: the harness must see each. */
export const broken = {
  'answers before the write': [
    {
      file: 'pipeline/accept.js',
      from: 'const [accepted] = await Promise.all([',
      to: 'const accepted = { fresh: 0, seen: 0, late: 0, joined: 0, groups: 0, soonest: -1, full: new Map(), rules: placedBy };\n    void Promise.all([',
    },
  ],
  'no sweep of the outbox': [
    { file: 'pipeline/timers.js', from: /every\(SWEEP, 'sweep the outbox', \(\) => sweep\(deps\)\),/, to: '' },
  ],
  'no fencing': [
    { file: 'store/claim-row.lua', from: /if due > now then return \{\} end/, to: '' },
    {
      file: 'store/begin-attempt.lua',
      from: /if state ~= 'claimed' or held ~= turn then return \{ 'lost' \} end/,
      to: '',
    },
    { file: 'store/record.lua', from: /if held ~= turn or [^\n]* then return \{ 0, 0, 0 \} end/, to: '' },
  ],
  'log before send': [
    {
      file: 'pipeline/deliver.js',
      from: 'const outcome = await send(notifier, message, integration, deps);',
      to:
        "await settle(trying, { ...sent, outcome: { state: 'delivered' } }, deps);\n" +
        '    const outcome = await send(notifier, message, integration, deps);',
    },
  ],
} satisfies Record<string, Patch[]>

export type Breakage = keyof typeof broken

/** A copy of the build in a folder, patched. Throws where a patch does not apply, which would test nothing. */
export function breakEngine(what: Breakage, dir: string): string {
  const root = join(dirname(builtCli()), '..')
  cpSync(join(root, 'dist'), join(dir, 'dist'), { recursive: true })
  for (const name of ['node_modules', 'templates', 'package.json']) symlinkSync(join(root, name), join(dir, name))
  for (const { file, from, to } of broken[what]) {
    const path = join(dir, 'dist', file)
    const text = readFileSync(path, 'utf8')
    const patched = text.replace(from, () => to)
    if (patched === text) throw new Error(`the patch of ${file} for "${what}" does not apply; write it anew`)
    writeFileSync(path, patched)
  }
  return join(dir, 'dist/cli.js')
}
