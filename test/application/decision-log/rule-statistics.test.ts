import t from 'tap';
import type { DecisionLogReader } from '../../../src/application/decision-log/decision-log.ts';
import type { KnownPolicies } from '../../../src/application/decision-log/known-policies.ts';
import { ruleStatistics } from '../../../src/application/decision-log/rule-statistics.ts';
import { delayBucketOf } from '../../../src/domain/decision-log/label-delay.ts';
import { policyDocumentSchema } from '../../../src/domain/policy/document.ts';

const HOUR = delayBucketOf(0, 3_600_000);
const document = policyDocumentSchema.parse({
  policy: 'shop',
  otherwise: 'ALLOW',
  rules: [
    { id: 'block', when: 'true', verdict: 'BLOCK', reason: 'B' },
    { id: 'ask', when: 'true', verdict: 'CHALLENGE', reason: 'C' },
  ],
});
const formatTime = (unixMs: number) => `at ${unixMs}`;
const onlyFirst: Pick<KnownPolicies, 'find'> = {
  find: (hash) => (hash === 'sha256:1' ? { document, compiled: null } : null),
};

function readerOf(
  pairs: readonly (readonly [judged: string, labelled: string, count: number])[],
  total?: number,
) {
  const asked: unknown[] = [];
  const group: DecisionLogReader['group'] = async (question) => {
    asked.push(question);
    const sum = pairs.reduce((all, [, , count]) => all + count, 0);
    return {
      steps: [{ startMs: 100, total: total ?? sum, degraded: 0, counts: new Map(), latencies: new Map() }],
      valuesOmitted: 0,
      pairs: pairs.map(([judged, labelled, count]) => ({ values: [judged, labelled] as const, count })),
      pairsOmitted: 0,
      coveredFromMs: 105,
    };
  };
  return { asked, reader: { group } };
}

t.test('tells how right rules were, and of how many decisions', async (t) => {
  const { asked, reader } = readerOf([
    ['ALLOW sha256:1', 'none', 90],
    ['ALLOW sha256:1', `fraud/${HOUR}`, 2],
    ['BLOCK sha256:1 block ask', 'none', 10],
    ['BLOCK sha256:1 block ask', `fraud/${HOUR}`, 3],
    ['BLOCK sha256:1 block', 'legit/100', 1],
    ['CHALLENGE sha256:1 ask', `challenge_passed/${HOUR}`, 6],
    ['CHALLENGE sha256:1 ask', `challenge_failed/${HOUR}`, 2],
    ['CHALLENGE sha256:1 ask', 'abandoned/0', 1],
    ['CHALLENGE sha256:1 block:unknown', `fraud/${HOUR}`, 1],
    ['BLOCK sha256:2 other', 'none', 5],
  ]);
  const found = await ruleStatistics(
    { reader, policies: onlyFirst, formatTime },
    { sinceMs: 100, untilMs: 140 },
    { caller: 'shop' },
  );
  t.same(asked, [
    {
      filter: { caller: 'shop', since: 'at 100', until: 'at 140' },
      sinceMs: 100,
      stepMs: 40,
      by: ['judged', 'labelled'],
      pairsMax: 20_000,
    },
  ]);
  t.match(found, {
    total: 121,
    labels: { fraud: 6, legit: 1, challenge_passed: 6, challenge_failed: 2, abandoned: 1 },
    undecided: 5,
    omitted: 0,
    coveredFromMs: 105,
    policies: [document],
  });
  const near = (ms: number | null | undefined) => Math.abs((ms ?? 0) / 3_600_000 - 1) < 0.051;
  const block = found.rules.get('block');
  t.match(block, {
    decisive: 15,
    labels: { fraud: 3, legit: 1 },
    precision: { share: 0.75, n: 4 },
    recall: { share: 3 / 8, n: 8 },
    challengePass: { share: null, n: 0 },
  });
  t.ok(near(block?.medianDelayMs));
  const ask = found.rules.get('ask');
  t.match(ask, {
    decisive: 9,
    precision: { share: 5 / 11, n: 11 },
    recall: { share: 5 / 8, n: 8 },
    challengePass: { share: 0.75, n: 8 },
  });
  t.match(found.rules.get('other'), { decisive: 0, labels: {}, medianDelayMs: null });
  t.match(found.none, { decisive: 0, labels: {}, precision: { n: 0 }, recall: { share: 0, n: 8 } });
});

t.test('reads no more policies than stay compiled, those of most decisions first', async (t) => {
  const { reader } = readerOf(
    Array.from({ length: 20 }, (_, place) => [`ALLOW sha256:${place}`, 'none', 100 - place] as const),
    2_000,
  );
  const read: string[] = [];
  const policies: Pick<KnownPolicies, 'find'> = {
    find: async (hash) => {
      read.push(hash);
      return null;
    },
  };
  const found = await ruleStatistics({ reader, policies, formatTime }, { sinceMs: 0, untilMs: 10 }, {});
  t.same(
    read,
    Array.from({ length: 16 }, (_, place) => `sha256:${place}`),
  );
  t.match(found, { undecided: 1_810, omitted: 190, total: 2_000, policies: [] });
});
