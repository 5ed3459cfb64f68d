import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startRedisServer } from './redis-server.ts';
import { parseScrape, type Scrape } from './scrape.ts';
import { ROOT } from './start-program.ts';
import { createDirectory, createTestApp, untilRedisIsUp } from './test-app.ts';

/** A scrape of a service that has everything that is measured: a Redis, a candidate and a webhook. */
export async function scrapeWholeService(t: Test): Promise<Scrape> {
  const redis = await startRedisServer(t);
  const POLICY_CANDIDATES = join(ROOT, 'policies/strict.yaml');
  const directory = createDirectory(t);
  const WEBHOOKS_FILE = join(directory, 'webhooks.yaml');
  writeFileSync(join(directory, 'secret'), `whsec_${randomBytes(32).toString('base64')}`);
  const target = `{url: https://hooks.example/, secret_file: ${join(directory, 'secret')}}`;
  writeFileSync(WEBHOOKS_FILE, `targets: {soc: ${target}}`);
  const app = await createTestApp(t, { env: { REDIS_URL: redis.url, POLICY_CANDIDATES, WEBHOOKS_FILE } });
  await untilRedisIsUp(app);
  await app.decide({ telemetry_id: 'allow', device_id: 'active' });
  return parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
}

/** Which of the selected values of labels a scrape lacks, as `metric{label="value"}`. */
export function findLacking(
  scrape: Scrape,
  selectors: readonly {
    readonly metric: string;
    readonly label: string;
    readonly values: readonly string[];
  }[],
): readonly string[] {
  return selectors.flatMap(({ metric, label, values }) =>
    values
      .filter((value) => !scrape.get(metric)?.some(({ labels }) => labels[label] === value))
      .map((value) => `${metric}{${label}="${value}"}`),
  );
}
