import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pair {
  key: string
  cert: string
}

/** An authority, and what it signs; each pair lies in the folder as <name>.key and <name>.crt too. */
export function openAuthority(dir: string, name: string) {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-days', '2', '-keyout', `${name}.key`, '-out', `${name}.crt`)
  const read = (file: string) => readFileSync(join(dir, file), 'utf8')
  return {
    cert: read(`${name}.crt`),
    /** `san` as OpenSSL writes it: `DNS:a,IP:127.0.0.1`. */
    sign(child: string, san: string): Pair {
      openssl('req', '-new', ...key, '-subj', `/CN=${child}`, '-keyout', `${child}.key`, '-out', `${child}.csr`)
      writeFileSync(join(dir, `${child}.ext`), `subjectAltName=${san}\n`)
      const by = ['-CA', `${name}.crt`, '-CAkey', `${name}.key`, '-CAcreateserial']
      openssl(
        'x509',
        '-req',
        '-in',
        `${child}.csr`,
        ...by,
        '-days',
        '2',
        '-extfile',
        `${child}.ext`,
        '-out',
        `${child}.crt`,
      )
      return { key: read(`${child}.key`), cert: read(`${child}.crt`) }
    },
  }
}
