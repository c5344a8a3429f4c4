// Compiles src/, web/ and examples/ into dist/, and puts beside them what is read and not compiled.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
execFileSync(process.execPath, [tsc, '-p', 'web'], { stdio: 'inherit' })
execFileSync(process.execPath, [tsc, '-p', 'examples'], { stdio: 'inherit' })

for (const name of readdirSync('src/store')) {
  if (name.endsWith('.lua')) cpSync(join('src/store', name), join('dist/store', name))
}
for (const name of readdirSync('web')) {
  if (/\.(html|css|svg|png)$/.test(name)) cpSync(join('web', name), join('dist/web', name))
}
chmodSync('dist/cli.js', 0o755) // npx tocsin
