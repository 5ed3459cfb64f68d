import t from 'tap';
import { createExamine, runCasesInThread } from '../../src/app/examine.ts';
import type { Examination } from '../../src/application/promotion/examine-candidate.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { policyOf } from '../application/promotion/open-promotions.ts';
import { until } from '../support/test-app.ts';

const CANDIDATE = { policy: policyOf('!stytch.found'), tests: null, addedAtMs: null };
const FAILED = { cases: { kind: 'unknown', why: /TIMEOUT/ }, losses: { kind: 'unknown', why: /TIMEOUT/ } };

function open(failedMs?: number) {
  let asked = 0;
  const ask = async (): Promise<Examination> => {
    asked += 1;
    throw Object.assign(new Error('late'), { code: 'TIMEOUT' });
  };
  const examine = createExamine(
    { providers: PROVIDERS },
    failedMs === undefined ? { ask } : { ask, failedMs },
  );
  return { examine, asked: () => asked };
}

t.test('examines a text once, in a thread', async (t) => {
  const examine = createExamine({ providers: PROVIDERS });
  const examined = await examine(CANDIDATE, []);
  t.same(examined, { cases: { kind: 'none' }, losses: { kind: 'analyzed', violations: [] } });
  t.equal(await examine(CANDIDATE, []), examined, 'the same object');
});

t.test('tries none that has failed again at once, and does later', async (t) => {
  const { examine, asked } = open();
  for (let time = 0; time < 3; time += 1) t.match(await examine(CANDIDATE, []), FAILED);
  t.equal(asked(), 1);
  await examine(CANDIDATE, ['the-rule']);
  t.equal(asked(), 2, 'another question');
  const short = open(1);
  await until('it is tried again', async () => {
    await short.examine(CANDIDATE, []);
    return short.asked() > 1;
  });
});

t.test('runs cases alone, and says what it could not run', async (t) => {
  const { text } = CANDIDATE.policy;
  const run = (tests: string | null, of = text ?? '') =>
    runCasesInThread(of, tests, { providers: PROVIDERS });
  t.same(await run(null), { kind: 'none' });
  const tests = `policy: shop.yaml
evidence:
  stytch: { outcome: ok, signals: { found: true } }
cases:
  - { name: a found id, request: { action: login }, decision: BLOCK }
`;
  t.match(await run(tests), { kind: 'run', passed: 0, failed: ['a found id'] });
  t.match(await run('cases: nothing'), { kind: 'unknown' });
  t.match(await run('cases: []', 'no policy'), { kind: 'unknown', why: /were not examined/ });
});
