// Compiles src/ and examples/ into dist/ and web/ into dist/web/, and puts beside them what is read and not compiled.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

/** What a phone has to load before the page shows anything, gzipped, bytes. */
const MOST = 250_000

const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
execFileSync(process.execPath, [tsc, '-p', 'examples'], { stdio: 'inherit' })

for (const name of readdirSync('src/store')) {
  if (name.endsWith('.lua')) cpSync(join('src/store', name), join('dist/store', name))
}

await build({
  root: 'web',
  base: './', // the page stands under whatever route prefix there is
  configFile: false,
  logLevel: 'warn',
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    chunkSizeWarningLimit: Math.ceil((MOST * 4) / 1000), // kB of what is not compressed yet
    assetsInlineLimit: 0, // the content security policy has no data: URLs
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'web/index.html', ack: 'web/ack.ts' },
      output: {
        // the page behind an acknowledge link names its script itself
        entryFileNames: ({ name }) => (name === 'ack' ? '[name].js' : 'assets/[name]-[hash].js'),
        assetFileNames: ({ names }) => (names[0] === 'ack.css' ? '[name][extname]' : 'assets/[name]-[hash][extname]'),
        chunkFileNames: 'assets/[name]-[hash].js',
      },
    },
  },
})
const assets = readdirSync('dist/web/assets').filter((name) => /\.(js|css)$/.test(name))
const size = assets.reduce((sum, name) => sum + gzipSync(readFileSync(join('dist/web/assets', name))).length, 0)
process.stdout.write(`the page: ${(size / 1000).toFixed(1)} kB gzipped, of at most ${MOST / 1000} kB\n`)
if (size > MOST) throw new Error('the page is larger than it may be')

chmodSync('dist/cli.js', 0o755) // npx tocsin
