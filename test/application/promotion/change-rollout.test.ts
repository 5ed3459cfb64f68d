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
