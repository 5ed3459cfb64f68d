import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import t from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { createServiceEnvironment, SERVICE_KEY, startService } from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators, until } from '../support/test-app.ts';
import { readText } from './markdown.ts';
import { installRiskgate } from './policy-repository.ts';

/** The blocks of the guide, and between them what others do, in their order. */
const blocks = [
  ...readText('docs/changing-a-policy.md').matchAll(/^```(\w+)\n(.*?)^```$|^<!-- (.*?) -->$/gms),
].map(([, kind = 'others', text = '', others = '']) => ({ kind, text: kind === 'others' ? others : text }));

/** What differs from run to run. */
function withoutChance(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<id>')
    .replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/\b[0-9a-f]{32}\b/g, '<account>')
    .replaceAll(/hours with decisions that were judged: \d+/g, '<hours>')
    .trimEnd();
}

/** A service with the policy of before, and people who ask it. */
async function openService(directory: string) {
  const emulators = await startEmulators(t);
  const redis = await startRedisServer(t);
  const dataDir = join(directory, 'data');
  const { origin } = await startService(t, {
    ...createServiceEnvironment(t, `http://127.0.0.1:${portOf(emulators.app.server.address())}`),
    POLICY_FILE: join(directory, 'before.yaml'),
    DATA_DIR: dataDir,
    REDIS_URL: redis.url,
  });
  const ask = async <Body>(path: string, body?: object): Promise<Body> => {
    const headers = { 'x-api-key': SERVICE_KEY, 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${origin}${path}`, { headers, ...sent });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as Body;
  };
  let made = 0;
  const decide = async (count: number, telemetry: string, action: string) => {
    for (let one = 0; one < count; one += 1) {
      made += 1;
      const ids = { telemetry_id: telemetry, device_id: 'active', account_id: `account-${made}` };
      await ask('/v1/decide', { ...ids, action });
    }
  };
  return {
    env: { DATA_DIR: dataDir, RISKGATE_URL: origin, RISKGATE_API_KEY: SERVICE_KEY },
    decide: async (logins: number, payouts: number) => {
      await decide(logins, 'allow', 'login');
      await decide(payouts, 'vpn', 'payout');
      await until('they are in the history', async () => {
        const { totals } = await ask<{ totals: { total: number } }>('/v1/stats?window=24h&step=1h');
        return totals.total >= made;
      });
    },
    untilRolledBack: () =>
      until('it is rolled back', async () => {
        const { policies } = await ask<{ policies: { why: string }[] }>('/v1/policies/history');
        return policies[0]?.why === 'rolled_back';
      }),
  };
}

t.test('the guide does what it says: every file, every command and what it prints', async (t) => {
  const directory = createDirectory(t);
  installRiskgate(directory);
  let service: Awaited<ReturnType<typeof openService>> | null = null;
  let printed = '';
  let commands = 0;
  for (const { kind, text } of blocks) {
    if (kind === 'yaml') {
      const path = join(directory, /^# (policies\/\S+)\n/.exec(text)?.[1] ?? 'none');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    } else if (kind === 'sh') {
      const ran = spawn('bash', ['-c', text], {
        cwd: directory,
        env: { ...process.env, ...service?.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [out, err] = await Promise.all([readAll(ran.stdout), readAll(ran.stderr), once(ran, 'close')]);
      printed = `${out}${err}`;
      commands += 1;
    } else if (kind === 'others') {
      service ??= await openService(directory);
      const [, logins, payouts] = /^decide: (\d+) logins, (\d+) payouts? through a VPN$/.exec(text) ?? [];
      if (logins === undefined) await service.untilRolledBack();
      else await service.decide(Number(logins), Number(payouts));
    } else {
      t.equal(kind, 'text');
      t.equal(withoutChance(printed), withoutChance(text));
    }
  }
  t.equal(commands, 13);
  t.equal(blocks.filter(({ kind }) => kind === 'text').length, 12);
  t.equal(blocks.filter(({ kind }) => kind === 'others').length, 5);
});
