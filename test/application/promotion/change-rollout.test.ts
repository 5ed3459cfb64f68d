import t from 'tap';
import { createRolloutSteps } from '../../../src/application/promotion/change-rollout.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { policyOf } from './open-promotions.ts';

t.test('tells nothing of a change that somebody else was faster with', async (t) => {
  const told: unknown[] = [];
  const overtaken = new RiskgateError('conflict', 'What is in force has changed.');
  const steps = createRolloutSteps({
    change: {
      put: async () => {
        throw overtaken;
      },
      putRollout: async () => {
        throw overtaken;
      },
    },
    clock: { nowMs: () => 1 },
    record: null,
    onNotice: (notice) => void told.push(notice),
  });
  const [inForce, candidate] = [policyOf('!stytch.found'), policyOf('stytch.is_vpn')];
  for (const share of [0.5, 1])
    await t.rejects(steps.take({ revision: 1, inForce, candidate, share, checks: [], by: null }), overtaken);
  t.same(told, []);
});

t.test('tells of a change that is found to be made later, once', async (t) => {
  const told: string[] = [];
  const events: unknown[] = [];
  const late: (() => void)[] = [];
  const lost = (onMadeLate: (() => void) | undefined) => {
    if (onMadeLate !== undefined) late.push(onMadeLate);
    throw new RiskgateError('store_unavailable', 'It is not known whether the change was made.');
  };
  const steps = createRolloutSteps({
    change: {
      put: async ({ onMadeLate }) => lost(onMadeLate),
      putRollout: async ({ onMadeLate }) => lost(onMadeLate),
    },
    clock: { nowMs: () => 1 },
    record: async (event) => {
      events.push(event);
      throw new RiskgateError('decision_log_unavailable', 'no log');
    },
    onNotice: ({ change }) => void told.push(change),
  });
  const [inForce, candidate] = [policyOf('!stytch.found'), policyOf('stytch.is_vpn')];
  const step = { revision: 1, inForce, checks: [], by: null };
  const { id, hash, text } = candidate;
  const limits = inForce.document.promotion;
  const part = { beside: inForce.hash, share: 1, limits, by: '', beganAtMs: 0, untilMs: 0 };
  const rollout = { ...part, id, hash, text, policy: candidate, stage: 'watch' } as const;
  const changes = [
    () => steps.take({ ...step, candidate, share: 0.5 }),
    () => steps.take({ ...step, candidate, share: 1 }),
    () => steps.takeBack({ ...step, rollout: { ...rollout, stage: 'share' } }),
    () => steps.takeBack({ ...step, rollout }),
    () => steps.endWatch({ ...step, rollout }),
  ];
  for (const change of changes) await t.rejects(change(), { code: 'store_unavailable' });
  t.same(told, []);
  for (const onMadeLate of late) onMadeLate();
  t.same(told, ['share', 'promoted', 'aborted', 'rolled_back', 'watch_ended']);
  t.equal(events.length, 5, 'a log that takes none of them rejects nowhere');
});
