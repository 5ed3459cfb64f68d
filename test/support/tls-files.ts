import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * An authority, and a certificate of it for 127.0.0.1 and `hosts` that serves servers and clients, valid for
 * a day.
 */
export function createTlsFiles(directory: string, name: string, hosts: readonly string[] = []): TlsFiles {
  const path = (file: string) => join(directory, `${name}-${file}.pem`);
  const files = { ca: path('ca'), cert: path('cert'), key: path('key') };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  run(['req', '-x509', ...key, '-keyout', path('ca-key'), '-out', files.ca, '-subj', `/CN=${name} CA`]);
  run([
    'req',
    '-x509',
    ...key,
    '-keyout',
    files.key,
    '-out',
    files.cert,
    '-subj',
    `/CN=${name}`,
    '-CA',
    files.ca,
    '-CAkey',
    path('ca-key'),
    '-addext',
    ['subjectAltName=IP:127.0.0.1', ...hosts.map((host) => `DNS:${host}`)].join(','),
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ]);
  return files;
}

function run(args: readonly string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr}`);
}
