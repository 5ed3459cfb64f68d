import { join } from 'node:path';
import t from 'tap';
import { canonicalAddress } from '../../src/domain/ip-address.ts';
import { fillHistory } from '../../src/emulators/history.ts';
import { planMonth } from '../../src/emulators/month.ts';
import { createPastClock } from '../../src/emulators/past-clock.ts';
import { createSubjects } from '../../src/emulators/traffic-subjects.ts';
import { createSeededRandom } from '../../src/platform/seeded-random.ts';
import { createDirectory, createTestApp } from '../support/test-app.ts';

const UNTIL_MS = Date.UTC(2026, 5, 30, 12, 34);
const HOUR_MS = 3_600_000;

t.test('plans a month of days and nights, with an attack and an outage', async (t) => {
  const hours = planMonth(100_000, UNTIL_MS);
  t.equal(hours.length, 29 * 24 + 12);
  t.equal(
    hours.reduce((sum, { decisions }) => sum + decisions, 0),
    100_000,
  );
  t.equal(
    (hours.at(-1)?.startMs ?? 0) + HOUR_MS,
    Math.floor(UNTIL_MS / HOUR_MS) * HOUR_MS,
    'none of them is to come',
  );
  const of = (weather: string) => hours.filter((hour) => hour.weather === weather);
  t.same([of('attack').length, of('outage').length], [2, 3]);
  const meanAt = (utcHour: number) => {
    const calm = of('calm').filter(({ startMs }) => new Date(startMs).getUTCHours() === utcHour);
    return calm.reduce((sum, { decisions }) => sum + decisions, 0) / calm.length;
  };
  t.ok(meanAt(19) > 5 * meanAt(3), 'nights are quiet');
  t.ok((of('attack')[0]?.decisions ?? 0) > 3 * meanAt(19));
});

t.test('gives ids of the time that the clock is at', async (t) => {
  const clock = createPastClock(1_000, () => 0.999);
  clock.moveTo(0x0123_4567_89ab);
  clock.moveTo(5);
  t.equal(clock.newId(), '01234567-89ab-7ffb-bffb-ffbe76ffbe76');
  t.same([clock.nowMs(), clock.monotonicMs()], [0x0123_4567_89ab, 0x0123_4567_89ab - 1_000]);
});

t.test('asks with addresses as the service spells them', async (t) => {
  const subjects = createSubjects(createSeededRandom(7));
  for (const weather of ['calm', 'attack', 'outage'] as const)
    for (let count = 0; count < 300; count += 1) {
      const { ip } = subjects.next(weather).body;
      if (canonicalAddress(ip) !== ip) t.fail(ip);
    }
});

t.test('fills a history that a service goes on with', async (t) => {
  const scratchDirectory = createDirectory(t);
  const dataDirectory = join(scratchDirectory, 'data');
  const idHashKey = 'an id hash key of 32 bytes or more';
  const untilMs = Date.now();
  await fillHistory({ decisions: 400, dataDirectory, scratchDirectory, idHashKey, untilMs, say: () => {} });
  const app = await createTestApp(t, { env: { DATA_DIR: dataDirectory, ID_HASH_KEY: idHashKey } });
  const ask = async (group: string) =>
    (await app.ask<StatsBody>('GET', `/v1/stats?window=30d&group_by=${group}`)).json;
  const decisions = await ask('decision');
  // Those who passed a challenge do not ask again here.
  t.equal(decisions.totals.total, 400);
  const days = decisions.steps.filter(({ total }) => total > 0);
  t.ok(days.length >= 28, 'all days have some');
  for (const verdict of ['ALLOW', 'CHALLENGE', 'BLOCK'])
    t.ok((decisions.totals.counts[verdict] ?? 0) > 10, verdict);
  t.ok((decisions.totals.counts['ALLOW'] ?? 0) > 150, 'most are let in');
  const { counts: policies } = (await ask('policy')).totals;
  t.equal(Object.keys(policies).length, 2, 'the policy changed once');
  t.same(Object.keys((await ask('caller')).totals.counts).sort(), ['checkout', 'mobile-app', 'web-login']);
  const { counts: outcomes } = (await ask('provider_outcome')).totals;
  t.ok((outcomes['prefactor/unavailable'] ?? 0) + (outcomes['prefactor/circuit_open'] ?? 0) > 0, 'an outage');
  const labelled = await app.ask<StatsBody>('GET', '/v1/stats?window=30d&group_by=label');
  t.ok((labelled.json.totals.counts['fraud'] ?? 0) > 0, 'labels came later');
  let found = 0;
  for (let person = 0; person < 30 && found === 0; person += 1) {
    const url = `/v1/decisions?account_id=acct_${person}&limit=1`;
    found = (await app.ask<{ decisions: readonly object[] }>('GET', url)).json.decisions.length;
  }
  t.equal(found, 1, 'people are found by the same hashes');
});

interface StatsBody {
  readonly steps: readonly { readonly total: number }[];
  readonly totals: { readonly total: number; readonly counts: Readonly<Record<string, number>> };
}
