import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { startService } from '../support/start-service.ts';
import { startLoad } from './load.ts';

export interface RotationOptions {
  readonly rotation: Rotation;
  readonly times: number;
  /** The environment of the service but for its log. */
  readonly env: Readonly<Record<string, string>>;
  /** Empty, and nobody else's. */
  readonly directory: string;
  readonly random: () => number;
}

export interface RotationReport {
  readonly rotations: number;
  /** Decision ids that a client received. */
  readonly received: number;
  /** Those of them that no file has: none may be. */
  readonly missing: readonly string[];
  /** Records that stand in a file and in the next one. */
  readonly twice: number;
  /** Whether the service has said that its file was emptied in place. */
  readonly isTruncationTold: boolean;
}

export type Rotation = 'create' | 'nocreate' | 'copytruncate' | 'removed' | 'directory';

/** The third is documented as unsafe. Everything else is to lose nothing. */
export const ROTATIONS: readonly Rotation[] = ['create', 'nocreate', 'removed', 'directory'];

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

const FILE = 'decisions.ndjson';
/** Between two rotations: some tens of batches. */
const PAUSE_MS_MAX = 60;
const NOT_YET_MS = 5;

/**
 * Loads a service that logs strictly to a file, takes the file away so many times, and looks for every
 * answered decision in all that was left.
 */
export async function runRotations(t: Teardown, options: RotationOptions): Promise<RotationReport> {
  const { rotation, times, env, directory, random } = options;
  const logs = join(directory, 'logs');
  mkdirSync(logs, { mode: 0o700 });
  const { child, origin, ended } = await startService(t, { ...env, DECISION_LOG_FILE: join(logs, FILE) });
  const received = new Set<string>();
  const load = await startLoad(Number(new URL(origin).port), received);
  const kept: string[] = [];
  const rotate = createRotate(rotation, directory, logs, kept, (signal) => child.kill(signal));
  for (let serial = 0; serial < times; serial += 1) {
    await delay(random() * PAUSE_MS_MAX);
    await rotate(serial);
  }
  await delay(PAUSE_MS_MAX);
  child.kill('SIGKILL');
  const { stdout } = await ended;
  await load.ended;
  for (const place of readdirSync(directory).filter((name) => name.startsWith('logs'))) {
    kept.push(...readLogs(join(directory, place)));
  }
  const ids = kept.flatMap(idsIn);
  const unique = new Set(ids);
  return {
    rotations: times,
    received: received.size,
    missing: [...received].filter((id) => !unique.has(id)),
    twice: ids.length - unique.size,
    isTruncationTold: stdout.includes('decision_log.file_truncated'),
  };
}

function createRotate(
  rotation: Rotation,
  directory: string,
  logs: string,
  kept: string[],
  signal: (name: NodeJS.Signals) => void,
): (serial: number) => void | Promise<void> {
  const path = join(logs, FILE);
  if (rotation === 'directory') {
    return (serial) => {
      renameSync(logs, `${logs}.${serial}`);
      mkdirSync(logs, { mode: 0o700 });
    };
  }
  if (rotation === 'removed') {
    return async () => {
      while (!existsSync(path)) await delay(NOT_YET_MS);
      // What stands in the file is thrown away on purpose; what is answered from now on is not.
      signal('SIGSTOP');
      const file = openSync(path, 'r');
      kept.push(readFileSync(file, 'utf8'));
      rmSync(path);
      closeSync(file);
      signal('SIGCONT');
    };
  }
  const configuration = join(directory, 'logrotate.conf');
  const lines = [
    `"${path}" {`,
    rotation,
    'missingok',
    'rotate 10000',
    'compress',
    'nodelaycompress',
    '}',
    '',
  ];
  writeFileSync(configuration, lines.join('\n'), { mode: 0o600 });
  const state = join(directory, 'logrotate.state');
  return async () => {
    // Rejects when it ends with another status than 0.
    await promisify(execFile)('logrotate', ['--force', '--state', state, configuration]);
  };
}

function readLogs(directory: string): string[] {
  return readdirSync(directory).map((name) => {
    const bytes = readFileSync(join(directory, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  });
}

/** What was read while it was written may end in half a line. */
function idsIn(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return lines.map((line) => (JSON.parse(line) as { decision_id: string }).decision_id);
}
