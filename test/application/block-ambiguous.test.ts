import t from 'tap';
import { createBlockAmbiguous } from '../../src/application/block-ambiguous.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { disabledSlot } from './sources.ts';

const EMPTY_SUBJECT = { telemetryId: null, device: { kind: 'shared', id: null } } as const;

t.test('blocks an ambiguous subject by whatever policy, and names every provider as skipped', async (t) => {
  const block = createBlockAmbiguous({
    slots: [disabledSlot('one', 'device_id'), disabledSlot('two', 'device_id')],
    policy: () => ({ id: 'mild', hash: 'sha256:0' }) as CompiledPolicy,
    clock: { nowMs: () => 7, monotonicMs: () => 0 },
    newId: () => 'the-id',
  });
  const decision = await block(
    { ...EMPTY_SUBJECT, ipUnreadable: 'repeated', userAgent: 'canary' },
    { maxAgeMs: null, deadlineMs: null },
  );
  t.match(decision, {
    id: 'the-id',
    verdict: 'BLOCK',
    reasons: [{ code: 'SUBJECT_AMBIGUOUS', verdict: 'BLOCK', certain: true }],
    degraded: false,
    policy: { id: 'mild', hash: 'sha256:0' },
    decidedAtMs: 7,
    expiresAtMs: 7,
    request: { telemetry_id_present: false, ip: 'unreadable', user_agent: 'given' },
    visitor: null,
  });
  t.same(
    decision.evidence.map(({ provider, outcome }) => [provider, outcome]),
    [
      ['one', 'skipped'],
      ['two', 'skipped'],
    ],
  );
});
