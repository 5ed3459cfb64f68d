/** Where a server listens. */
export interface HostAddress {
  readonly host: string;
  readonly port: number;
}

/** What a `postgres://` URL says. */
interface ServerAddress {
  /** At least one: the servers of one cluster, of which one can be written to. */
  readonly hosts: readonly HostAddress[];
  readonly user: string;
  /** Null where the URL has none. */
  readonly password: string | null;
  readonly database: string;
  readonly isTls: boolean;
}

const URL_PARTS = /^postgres(?:ql)?:\/\/([^:@/?#]+)(?::([^@/?#]*))?@([^/?#]+)\/([^/?#]+)(?:\?([^#]*))?$/;
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
const PORT = 5_432;
/** Of them only encryption with a checked certificate is worth its name: all of them mean that. */
const TLS_MODES = ['require', 'verify-ca', 'verify-full'];
/** What is done anyway may be said. */
const WRITABLE = ['read-write', 'primary'];

/**
 * Reads `postgres://user:password@host:5432,host:5432/database`, with `sslmode` and `target_session_attrs`
 * behind it at most. Null for anything else.
 */
export function parseServerUrl(text: string): ServerAddress | null {
  const [, rawUser = '', rawPassword = '', rawHosts = '', rawDatabase = '', search = ''] =
    URL_PARTS.exec(text) ?? [];
  const [user, password, database] = [rawUser, rawPassword, rawDatabase].map(decode);
  const hosts = rawHosts.split(',').map(parseHost);
  const isTls = readMode(new URLSearchParams(search));
  if (!user || password == null || !database || isTls === null) return null;
  const known = hosts.filter((host) => host !== null);
  if (known.length !== hosts.length) return null;
  return { hosts: known, user, password: password || null, database, isTls };
}

function parseHost(text: string): HostAddress | null {
  const [, host, port = String(PORT)] = HOST.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** Whether TLS is asked for; null where something is asked for that is not done. */
function readMode(search: URLSearchParams): boolean | null {
  let isTls = false;
  for (const [name, value] of search) {
    if (name === 'sslmode' && TLS_MODES.includes(value)) isTls = true;
    else if (name === 'sslmode' && value === 'disable') isTls = false;
    else if (name !== 'target_session_attrs' || !WRITABLE.includes(value)) return null;
  }
  return isTls;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // A URIError: a lone percent sign.
    return null;
  }
}
