import t from 'tap';
import { createCountSteps } from '../../../src/application/decision-log/count-steps.ts';
import type { CountsOptions } from '../../../src/application/decision-log/decision-log.ts';
import { PERIOD_MS } from '../../../src/application/decision-log/decision-log.ts';
import type { StatsWindow } from '../../../src/application/decision-log/plan-window.ts';
import type { RunPiece } from '../../../src/application/decision-log/run-piece.ts';
import { planLast } from '../../support/plan-last.ts';

const { minute: MINUTE_MS, five_minutes: FIVE_MS, hour: HOUR_MS } = PERIOD_MS;
const NOW_MS = Date.parse('2026-01-15T09:31:20.000Z');
const HOUR_NOW = Math.floor(NOW_MS / HOUR_MS);

/** A log with one decision in every period, whose hours have versions that a test changes. */
function openLog() {
  const asked: CountsOptions[] = [];
  const changed = new Map<number, string>();
  const log = {
    stepsTogether: 0,
    version: async () => [...changed].join(),
    countVersions: async ({ sinceMs, untilMs }: { sinceMs: number; untilMs: number }) => {
      const first = Math.floor(sinceMs / HOUR_MS);
      return Array.from(
        { length: Math.ceil(untilMs / HOUR_MS) - first },
        (_, place) => changed.get(first + place) ?? 'first',
      );
    },
    counts: async (options: CountsOptions) => {
      asked.push(options);
      const { sinceMs, untilMs, period } = options;
      return Array.from({ length: (untilMs - sinceMs) / PERIOD_MS[period] }, (_, place) => ({
        startMs: sinceMs + place * PERIOD_MS[period],
        counts: new Map([['decision:ALLOW', 1]]),
      }));
    },
  };
  return { log, asked, changed };
}

const run: RunPiece = async (piece) => piece();

function plan(windowMs: number, stepMs: number | null = null): StatsWindow {
  return planLast(windowMs, stepMs, NOW_MS);
}

const totalOf = (counted: Awaited<ReturnType<ReturnType<typeof createCountSteps>>>) =>
  counted.all.counts.of('decision').get('ALLOW') ?? 0;

t.test('reads a window in pieces, each part of it once', async (t) => {
  const { log, asked } = openLog();
  const window = plan(24 * HOUR_MS);
  const counted = await createCountSteps({ reader: log, run })(window);
  t.equal(totalOf(counted), 288);
  t.equal(counted.steps.length, 96);
  for (const { counts } of counted.steps) t.equal(counts.of('decision').get('ALLOW'), 3);
  t.ok(asked.length > 10, 'no piece is long');
  let atMs = window.sinceMs;
  for (const { sinceMs, untilMs, period } of asked) {
    t.equal(sinceMs, atMs);
    t.equal(period, 'five_minutes');
    atMs = untilMs;
  }
  t.equal(atMs, window.untilMs);
});

t.test('reads again what has changed, and nothing else', async (t) => {
  const { log, asked, changed } = openLog();
  const count = createCountSteps({ reader: log, run });
  const window = plan(24 * HOUR_MS);
  await count(window);
  asked.length = 0;
  t.equal(totalOf(await count(window)), 288);
  t.same(asked, []);
  changed.set(HOUR_NOW, 'second');
  t.equal(totalOf(await count(window)), 288);
  const thisHour = { sinceMs: HOUR_NOW * HOUR_MS, untilMs: window.untilMs, period: 'five_minutes' };
  t.same(asked, [thisHour]);
  asked.length = 0;
  changed.set(HOUR_NOW - 3, 'labelled');
  await count(window);
  t.same(
    asked,
    [{ sinceMs: (HOUR_NOW - 3) * HOUR_MS, untilMs: (HOUR_NOW - 2) * HOUR_MS, period: 'five_minutes' }],
    'a label that is reported later changes its hour',
  );
});

t.test('reads a step of several hours again when one of them has changed', async (t) => {
  const { log, asked, changed } = openLog();
  const count = createCountSteps({ reader: log, run });
  const window = plan(30 * 24 * HOUR_MS);
  await count(window);
  asked.length = 0;
  changed.set(HOUR_NOW - 20, 'labelled');
  await count(window);
  t.equal(asked.length, 1);
  t.equal((asked[0]?.untilMs ?? 0) - (asked[0]?.sinceMs ?? 0), 6 * HOUR_MS);
  t.equal(asked[0]?.period, 'hour');
});

t.test('shares one counting among all who ask before it begins', async (t) => {
  const { log, asked } = openLog();
  const count = createCountSteps({ reader: log, run });
  const window = plan(HOUR_MS);
  const answers = await Promise.all(Array.from({ length: 50 }, () => count(window)));
  t.equal(new Set(answers).size, 1);
  const pieces = asked.length;
  t.ok(pieces <= 5);
  await Promise.all([count(window), count(plan(HOUR_MS, FIVE_MS))]);
  t.ok(asked.length > pieces, 'another window is another question');
});

t.test('answers nobody with a counting that had begun before the question', async (t) => {
  const { log } = openLog();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let version = 'before';
  const reader = {
    ...log,
    version: async () => {
      const known = version;
      begun.resolve();
      await gate.promise;
      return known;
    },
  };
  const count = createCountSteps({ reader, run });
  const window = plan(15 * MINUTE_MS);
  const first = count(window);
  await begun.promise;
  version = 'after';
  const [second, third] = [count(window), count(window)];
  gate.resolve();
  t.equal((await first).version, null, 'the log changed while it was counted');
  t.equal((await second).version, 'after');
  t.equal(await second, await third);
});

t.test('counts again after a failure', async (t) => {
  const { log } = openLog();
  let failures = 1;
  const counts = async (options: CountsOptions) => {
    failures -= 1;
    if (failures >= 0) throw new Error('lost');
    return log.counts(options);
  };
  const count = createCountSteps({ reader: { ...log, counts }, run });
  const [failed, shared] = [count(plan(HOUR_MS)), count(plan(HOUR_MS))];
  await t.rejects(failed, { message: 'lost' });
  await t.rejects(shared, { message: 'lost' });
  t.equal(totalOf(await count(plan(HOUR_MS))), 60);
});

t.test('leaves out what lies beyond the window', async (t) => {
  const { log } = openLog();
  const window = plan(HOUR_MS);
  const counts = async (options: CountsOptions) => [
    ...(await log.counts(options)),
    { startMs: window.untilMs, counts: new Map([['decision:ALLOW', 100]]) },
  ];
  t.equal(totalOf(await createCountSteps({ reader: { ...log, counts }, run })(window)), 60);
});

t.test('reads whole steps together where another thread adds them up', async (t) => {
  const { log, asked } = openLog();
  const window = plan(72 * HOUR_MS, 2 * HOUR_MS);
  const reader = { ...log, stepsTogether: 20 };
  const counted = await createCountSteps({ reader, run })(window);
  t.equal(totalOf(counted), 72);
  t.same(
    asked.map(({ sinceMs, untilMs, stepMs }) => [(untilMs - sinceMs) / HOUR_MS, stepMs]),
    [
      [40, 2 * HOUR_MS],
      [32, 2 * HOUR_MS],
    ],
  );
});
