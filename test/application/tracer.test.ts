import t from 'tap';
import { toDecisionAttributes } from '../../src/application/tracer.ts';
import type { Decision } from '../../src/domain/decision.ts';

t.test('says of a decision what is no identifier', async (t) => {
  const decision = {
    id: 'decision-1',
    verdict: 'BLOCK',
    degraded: false,
    reasons: [
      { code: 'STYTCH_BLOCK', rule: 'stytch-block', verdict: 'BLOCK', providers: ['stytch'], certain: true },
    ],
    evidence: [
      { provider: 'stytch', outcome: 'ok', origin: 'memory', signals: { found: true, action: 'canary' } },
    ],
  } as unknown as Decision;
  t.strictSame(toDecisionAttributes(decision), {
    'riskgate.decision': 'BLOCK',
    'riskgate.degraded': false,
    'riskgate.reason_codes': ['STYTCH_BLOCK'],
    'riskgate.stytch.outcome': 'ok',
    'riskgate.stytch.cache': 'hit',
    'riskgate.stytch.cache_level': 'memory',
  });
});
