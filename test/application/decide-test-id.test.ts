import t from 'tap';
import { createDecideTestId } from '../../src/application/decide-test-id.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import type { Subject } from '../../src/domain/subject.ts';
import { createManualClock } from '../support/test-app.ts';
import { createSource } from './sources.ts';

const source = createSource('stytch', 'telemetry_id');
const clock = createManualClock();
const decide = createDecideTestId({
  slots: [
    { id: 'stytch', subject: 'telemetry_id', source },
    { id: 'prefactor', subject: 'device_id', source: null },
  ],
  policy: () => ({ id: 'default', hash: 'sha256:0' }) as CompiledPolicy,
  clock,
  newId: () => 'decision-1',
  deadlineMs: 200,
});
const OPTIONS = { maxAgeMs: null, deadlineMs: null };
const about = (telemetryId: string | null): Subject => ({
  telemetryId,
  device: { kind: 'shared', id: 'device' },
});

t.test('answers each test id as it says, without a provider', async (t) => {
  for (const [id, verdict, degraded] of [
    ['test_allow', 'ALLOW', false],
    ['test_challenge', 'CHALLENGE', false],
    ['test_block', 'BLOCK', false],
    ['test_degraded', 'CHALLENGE', true],
    ['test_slow_0', 'ALLOW', false],
    ['test_slow_20', 'ALLOW', false],
  ] as const) {
    const decision = await decide(about(id), OPTIONS);
    t.match(
      decision,
      { verdict, degraded, id: 'decision-1', policy: { id: 'default' }, custody: 'none' },
      id,
    );
    t.strictSame(
      decision.evidence.map(({ outcome }) => outcome),
      degraded ? ['timeout', 'skipped'] : ['skipped', 'skipped'],
    );
    t.equal(decision.challenge !== null, verdict === 'CHALLENGE');
    t.equal(decision.reasons.length, verdict === 'ALLOW' ? 0 : 1);
  }
  t.equal(source.asked.length, 0);
});

t.test('whatever is no test id is a BLOCK', async (t) => {
  const ids = [
    'allow',
    'TEST_ALLOW',
    'test_allow ',
    ' test_allow',
    'test_allow\n',
    'test_slow_',
    'test_slow_-1',
  ];
  for (const id of [null, '', ...ids, 'test_slow_1e3', 'test_slow_100000', 'test_allow-2', 'test_'])
    t.match(
      await decide(about(id), OPTIONS),
      { verdict: 'BLOCK', reasons: [{ certain: false }] },
      String(id),
    );
});

t.test('a slow answer waits no longer than the deadline, and is then degraded', async (t) => {
  for (const options of [OPTIONS, { ...OPTIONS, deadlineMs: 50 }, { ...OPTIONS, receivedAtMs: -10_000 }])
    t.match(await decide(about('test_slow_99999'), options), { verdict: 'CHALLENGE', degraded: true });
});
