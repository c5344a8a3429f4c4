import { X509Certificate } from 'node:crypto'
import { type SecureContext, type SecureContextOptions, type SecureVersion, createSecureContext } from 'node:tls'
import type { TlsConfig } from '../model/http-config.ts'
import { codeOf } from './http.ts'
import { secretOf } from './fields.ts'
import { SettingError } from './notifier.ts'

/** TLS as a `tls_config` has it, with its files as they are now. */
export interface Tls {
  material: SecureContextOptions
  serverName: string // by what name the server is asked for and checked; '' for its own
  isVerified: boolean
}

const versions: Readonly<Record<string, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
}

/** Reads a `tls_config`'s files. Throws SettingError where one cannot be read. */
export function readTls(config: TlsConfig, folder = ''): Tls {
  const { cert, key, server_name, insecure_skip_verify, min_version = '', max_version = '' } = config
  const textOf = (setting: 'ca' | 'cert', value: string | undefined) =>
    value || secretOf(undefined, config[`${setting}_file`], { key: `tls_config.${setting}_file`, folder })
  const ca = textOf('ca', config.ca)
  const hasCert = Boolean(cert || config.cert_file)
  const [from, to] = [versions[min_version], versions[max_version]]
  if (from && to && from > to) throw new SettingError('tls_config.max_version: it is lower than min_version')
  return {
    material: {
      ...(ca && { ca }),
      ...(hasCert && {
        cert: textOf('cert', cert),
        key: secretOf(key, config.key_file, { key: 'tls_config.key_file', folder }),
      }),
      ...(from && { minVersion: from }),
      ...(to && { maxVersion: to }),
      // what OpenSSL has of these versions is signed by SHA-1, which it takes at no higher level
      ...((min_version === 'TLS10' || min_version === 'TLS11') && { ciphers: 'DEFAULT@SECLEVEL=0' }),
    },
    serverName: server_name ?? '',
    isVerified: !insecure_skip_verify,
  }
}

/** Throws SettingError, which tells nothing of what does not parse. */
export function contextOf({ material }: Tls): SecureContext {
  try {
    if (material.ca) toCertificate(String(material.ca)) // else an authority that is none would be no error
    return createSecureContext(material)
  } catch (error) {
    throw new SettingError(`tls_config: a certificate or its key cannot be used: ${codeOf(error)}`)
  }
}

function toCertificate(pem: string): X509Certificate {
  return new X509Certificate(pem)
}
