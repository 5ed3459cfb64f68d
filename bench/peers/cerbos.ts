import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { readParameters } from '../../src/domain/policy/parameters.ts';
import { findFreePort } from '../free-port.ts';
import type { LoadJob } from '../load/job.ts';
import { SERIAL } from '../load/job.ts';

/** Never a dependency: it is installed into the folder of one benchmark, when it is asked for. */
const CERBOS_VERSION = '0.51.0';
const START_WAIT_MS = 20_000;
/** Clock ticks of /proc/<pid>/stat: 100 a second on every Linux that Node runs on. */
const MICROS_PER_TICK = 10_000;

/** A Cerbos that runs, with its decision log in a file. */
export interface Cerbos {
  readonly child: ChildProcess;
  readonly port: number;
  /** Microseconds of CPU time since its start. */
  cpuMicros(): number;
}

/** Installs and starts Cerbos with the rules of the default policy. Rejects where it does not start. */
export async function startCerbos(directory: string): Promise<Cerbos> {
  const folder = join(directory, 'cerbos');
  mkdirSync(join(folder, 'policies'), { recursive: true });
  const install = ['install', '--prefix', folder, '--no-audit', '--no-fund', `cerbos@${CERBOS_VERSION}`];
  execFileSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'] });
  const port = await findFreePort();
  writeFileSync(join(folder, 'policies/login.yaml'), JSON.stringify(toCerbosPolicy()));
  writeFileSync(join(folder, 'cerbos.yaml'), JSON.stringify(await toConfig(folder, port)));
  const require = createRequire(join(folder, 'node_modules/cerbos/index.js'));
  const binary = require.resolve(`@cerbos/cerbos-${process.platform}-${process.arch}`);
  const child = spawn(binary, ['server', '--config', join(folder, 'cerbos.yaml'), '--log-level=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await waitUntilHealthy(port);
  return { child, port, cpuMicros: () => cpuMicrosOf(child.pid ?? 0) };
}

async function toConfig(folder: string, port: number): Promise<object> {
  return {
    server: {
      httpListenAddr: `127.0.0.1:${port}`,
      grpcListenAddr: `127.0.0.1:${await findFreePort()}`,
    },
    storage: { driver: 'disk', disk: { directory: join(folder, 'policies'), watchForChanges: false } },
    audit: {
      enabled: true,
      accessLogsEnabled: false,
      decisionLogsEnabled: true,
      backend: 'file',
      file: { path: join(folder, 'decisions.log') },
    },
    telemetry: { disabled: true },
  };
}

const policySchema = z.object({ rules: z.array(z.object({ id: z.string(), when: z.string() })) });

/** Every rule of the default policy denies, by its own condition over what the caller tells. */
function toCerbosPolicy(): object {
  const text = readFileSync(new URL('../../policies/default.yaml', import.meta.url), 'utf8');
  const document: unknown = parse(text);
  const { rules } = policySchema.parse(document);
  const { literals } = readParameters(document);
  const denials = rules.map(({ id, when }) => ({
    name: id,
    actions: ['login'],
    effect: 'EFFECT_DENY',
    roles: ['user'],
    condition: { match: { expr: toCerbosCondition(when, literals) } },
  }));
  return {
    apiVersion: 'api.cerbos.dev/v1',
    resourcePolicy: {
      version: 'default',
      resource: 'account',
      rules: [...denials, { actions: ['login'], effect: 'EFFECT_ALLOW', roles: ['user'] }],
    },
  };
}

/** Our variables are attributes of the resource there; its own `request` is another thing. */
function toCerbosCondition(when: string, parameters: ReadonlyMap<string, string | null>): string {
  return when
    .replace(
      /\b(stytch|mobilerun|prefactor|telemetry|lists|request|providers)\./g,
      'request.resource.attr.$1.',
    )
    .replace(/\bparams\.(\w+)/g, (_, name: string) => parameters.get(name) ?? '');
}

/**
 * The same question: `signals` is what our service knew of a subject (`explain=full`), which the caller has
 * to tell Cerbos.
 */
export function toCerbosJob(
  port: number,
  connections: number,
  serials: LoadJob['serials'],
  signals: Readonly<Record<string, unknown>>,
): LoadJob {
  const providers = ['stytch', 'mobilerun', 'prefactor'].map(
    (id) => [id, { outcome: 'ok', suspect: false }] as const,
  );
  const request = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
  const attr = { ...signals, request, providers: Object.fromEntries(providers) };
  return {
    port,
    connections,
    method: 'POST',
    path: '/api/check/resources',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      requestId: SERIAL,
      principal: { id: `acct-${SERIAL}`, roles: ['user'] },
      resources: [{ actions: ['login'], resource: { kind: 'account', id: SERIAL, attr } }],
    }),
    serials,
    mustInclude: 'EFFECT_ALLOW',
  };
}

async function waitUntilHealthy(port: number): Promise<void> {
  const endsAtMs = performance.now() + START_WAIT_MS;
  while (performance.now() < endsAtMs) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/_cerbos/health`)).ok) return;
    } catch {
      // Nothing listens yet.
    }
    await delay(50);
  }
  throw new Error(`Cerbos did not start in ${START_WAIT_MS} ms`);
}

/** User and system time, fields 14 and 15 of proc(5); the name before them may hold spaces. */
function cpuMicrosOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}
