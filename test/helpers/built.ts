import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The built binary. Throws where it is missing, or older than what it is built from. */
export function builtCli(): string {
  const cli = join(root, 'dist/cli.js')
  const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const newer = ['src', 'web']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .find((file) => /\.\w+$/.test(file) && changedAt(join(root, file)) > changedAt(cli))
  if (newer !== undefined) throw new Error(`dist/ is older than ${newer}, or not there: npm run build makes it anew`)
  return cli
}
