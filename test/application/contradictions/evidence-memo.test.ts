import t from 'tap';
import { createEvidenceMemo } from '../../../src/application/contradictions/evidence-memo.ts';
import {
  tellContradictions,
  toContradictionPlan,
} from '../../../src/domain/contradictions/find-contradictions.ts';
import { SMALL_WORLD } from '../../support/reference-data.ts';

const REQUEST = { userAgent: undefined, ip: undefined, place: undefined };
const TOLD = {
  request: REQUEST,
  told: tellContradictions(toContradictionPlan([], {}), {
    evidence: { stytch: 'none', mobilerun: 'none', prefactor: 'none' },
    request: REQUEST,
    memory: {
      places: undefined,
      hardware: { devices: undefined, accounts: undefined },
      telemetryFirstUsedMs: undefined,
    },
    nowMs: 0,
    params: {},
    reference: SMALL_WORLD,
  }),
};

t.test('remembers by whichever evidence there is', async (t) => {
  const memo = createEvidenceMemo();
  const evidence = { found: true };
  for (const sides of [
    { stytch: evidence, mobilerun: 'none', prefactor: 'none' },
    { stytch: 'unknown', mobilerun: { found: true }, prefactor: 'none' },
    { stytch: 'none', mobilerun: 'none', prefactor: { found: true } },
  ] as const) {
    t.equal(memo.find(sides, 'agent', '192.0.2.1', 1), null);
    const kept = { ...TOLD, sides, userAgent: 'agent', ip: '192.0.2.1', edition: 1 };
    memo.keep(kept);
    t.equal(memo.find(sides, 'agent', '192.0.2.1', 1), kept);
    t.equal(memo.find(sides, 'other', '192.0.2.1', 1), null);
    t.equal(memo.find(sides, 'agent', null, 1), null);
    t.equal(memo.find(sides, 'agent', '192.0.2.1', 2), null);
  }
  const changed = { stytch: evidence, mobilerun: 'unknown', prefactor: 'none' } as const;
  t.equal(memo.find(changed, 'agent', '192.0.2.1', 1), null, 'the rest has to be the same');
  const nothing = { stytch: 'none', mobilerun: 'unknown', prefactor: 'none' } as const;
  memo.keep({ ...TOLD, sides: nothing, userAgent: undefined, ip: undefined, edition: 1 });
  t.equal(memo.find(nothing, undefined, undefined, 1), null, 'nothing is remembered of nothing');
});
