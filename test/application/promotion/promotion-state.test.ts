import t from 'tap';
import type { Rollout } from '../../../src/application/policy-in-force/policy-store.ts';
import { createPromotionState } from '../../../src/application/promotion/promotion-state.ts';
import { createReadRollout } from '../../../src/application/promotion/read-rollout.ts';
import { policyOf } from './open-promotions.ts';

const LIVE = policyOf('!stytch.found');
const OTHER = policyOf('!prefactor.found');
const PART = {
  stage: 'share',
  beside: LIVE.hash,
  share: 0.1,
  limits: LIVE.document.promotion,
  by: 'deployer',
  beganAtMs: 1,
  untilMs: null,
};

function stateOf(part: unknown, isRolloutRefused = false) {
  const { id, hash } = OTHER;
  const rollout: Rollout = { id, hash, text: OTHER.text, part };
  const inForce = {
    policy: () => LIVE,
    rollout: () => (part === null ? null : { policy: OTHER, rollout }),
    isRolloutRefused: () => isRolloutRefused,
  };
  return createPromotionState(inForce, createReadRollout(inForce))();
}

t.test('says how a process stands to a promotion', async (t) => {
  t.equal(stateOf(null), 'none');
  t.equal(stateOf(PART), 'share');
  t.equal(stateOf({ ...PART, stage: 'watch' }), 'watch');
  t.equal(stateOf({ ...PART, beside: OTHER.hash }), 'no_effect');
  t.equal(stateOf({ ...PART, stage: 'of a later version' }), 'unusable');
  t.equal(stateOf(null, true), 'unusable');
});
