import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { isIP } from 'node:net';

interface ExposureOptions {
  /** The address to listen on. */
  readonly host: string;
  /** Empty where they are missing, which is a mistake that others report. */
  readonly secrets: readonly string[];
}

/**
 * Fewer different characters, or a pattern that repeats, were typed and not drawn: 32 random hex digits have
 * about 14.
 */
const DISTINCT_MIN = 8;
const PERIOD_MAX = 16;
/**
 * What examples, tutorials and this project's own demos and tests write where a secret belongs. Long enough
 * that a random secret does not hold one by chance.
 */
const PLACEHOLDERS =
  /demo-only|known-to-everybody|example|change.?me|change.?this|placeholder|insecure|password|default|your.?secret|your.?key|secret.?key|for.?tests|for.?benchmarks|not.?a.?secret|0123456789|abcdefgh|an id hash key/i;
/**
 * Readable or writable by everybody, or writable by the group. The group may read: that is how an
 * orchestrator hands a secret to a process that is not root.
 */
const MODE_REFUSED = 0o027;
/** Keys that stand in demos, tests and tutorials. */
const WELL_KNOWN_KEYS = [
  'demo-key',
  'test-key',
  'bench-key',
  'test',
  'secret',
  'password',
  'changeme',
  'api-key',
  '',
];

const WELL_KNOWN_DIGESTS = new Set(WELL_KNOWN_KEYS.map((key) => hash('sha256', key)));

/** True for an address that only this machine can reach. A name other than `localhost` can mean anything. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  if (family === 4) return host.startsWith('127.');
  return family === 6 && /^(?:::1|(?:0{1,4}:){7}0{0,3}1|::ffff:127\.\d+\.\d+\.\d+)$/i.test(host);
}

/**
 * What must not be so on an address that others can reach, one line each; empty on loopback. No line repeats
 * a secret.
 */
export function findExposures({ host, secrets }: ExposureOptions): readonly string[] {
  if (isLoopback(host) || !secrets.some(isGuessable)) return [];
  return [
    'ID_HASH_KEY is a placeholder or a simple pattern (or one of ID_HASH_KEYS): draw it, for example by `openssl rand -base64 32`',
  ];
}

/** True for a secret that stands in a text that others have read, or that was typed as a pattern. */
export function isGuessable(secret: string): boolean {
  if (new Set(secret).size < DISTINCT_MIN || PLACEHOLDERS.test(secret)) return true;
  for (let period = 1; period <= PERIOD_MAX; period += 1)
    if (secret === secret.slice(0, period).repeat(secret.length).slice(0, secret.length)) return true;
  return false;
}

/** True for the SHA-256, in hex, of a publicly known key. */
export function isWellKnownKey(sha256: string): boolean {
  return WELL_KNOWN_DIGESTS.has(sha256.toLowerCase());
}

/**
 * The mode of a file that others than its owner and group may read, or others than its owner write, as four
 * digits; null of any other, and where there is none.
 */
export function findOpenMode(path: string): string | null {
  try {
    const mode = statSync(path).mode & 0o777;
    // Windows has no modes; the reported value has no meaning.
    return process.platform === 'win32' || (mode & MODE_REFUSED) === 0
      ? null
      : mode.toString(8).padStart(4, '0');
  } catch {
    // A file that cannot be read is a mistake that its reader reports.
    return null;
  }
}
