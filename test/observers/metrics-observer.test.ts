import t from 'tap';
import type { DecisionEvent } from '../../src/application/observers.ts';
import { NO_RECORDED_FACTS } from '../../src/domain/decision-log/recorded-facts.ts';
import { toRecordedRequest } from '../../src/domain/decision-log/recorded-request.ts';
import { createMetricsObserver } from '../../src/observers/metrics-observer.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { parseScrape, readValue } from '../support/scrape.ts';

const PROVIDERS = ['stytch', 'mobilerun'];

function createObserved() {
  const metrics = createMetrics();
  const observer = createMetricsObserver(metrics, PROVIDERS);
  const value = async (name: string, labels: Record<string, string> = {}) =>
    readValue(parseScrape(metrics.text()), name, labels);
  return { metrics, observer, value };
}

function decisionOf(
  verdict: 'ALLOW' | 'CHALLENGE' | 'BLOCK',
  degraded: boolean,
  latencyMs: number,
): DecisionEvent {
  const decision = {
    id: 'canary-decision',
    verdict,
    degraded,
    reasons: [],
    waivers: [],
    evidence: [],
    custody: 'none' as const,
    challenge: null,
    trace: [],
    request: toRecordedRequest({
      telemetry_id_present: true,
      device_id_present: true,
      device_id_given: true,
    }),
    visitor: null,
    place: null,
    facts: NO_RECORDED_FACTS,
    policy: { id: 'p', hash: 'h' },
    decidedAtMs: 0,
    expiresAtMs: 0,
    latencyMs,
  };
  return { decision, caller: 'canary-caller', requestId: 'canary-request', action: 'canary-action' };
}

/** What a suspicion brings beside its end or beginning. */
const SUSPICION = { cause: 'known_ids_not_found', samples: 200, notFound: 150 } as const;

t.test('counts decisions by what was decided and degradation, and times them in seconds', async (t) => {
  const { observer, value, metrics } = createObserved();
  observer.onDecision(decisionOf('ALLOW', false, 0.09));
  observer.onDecision(decisionOf('BLOCK', false, 40));
  observer.onDecision(decisionOf('BLOCK', true, 1000));
  t.equal(await value('riskgate_decisions_total', { decision: 'ALLOW', degraded: 'false' }), 1);
  t.equal(await value('riskgate_decisions_total', { decision: 'BLOCK', degraded: 'false' }), 1);
  t.equal(await value('riskgate_decisions_total', { decision: 'BLOCK', degraded: 'true' }), 1);
  t.equal(await value('riskgate_decisions_total', { decision: 'CHALLENGE', degraded: 'true' }), 0);
  t.equal(await value('riskgate_decision_seconds_bucket', { le: '0.0001' }), 1);
  t.equal(await value('riskgate_decision_seconds_bucket', { le: '0.05' }), 2);
  t.equal(await value('riskgate_decision_seconds_bucket', { le: '1' }), 3);
  t.notMatch(metrics.text(), /canary/);
});

t.test('counts calls by provider and outcome, and times only those that were sent', async (t) => {
  const { observer, value } = createObserved();
  const call = { provider: 'stytch', failure: null, latencyMs: 30 };
  observer.onProviderCall({ ...call, outcome: 'ok', attempts: 1 });
  observer.onProviderCall({ ...call, outcome: 'circuit_open', attempts: 0 });
  t.equal(await value('riskgate_provider_calls_total', { provider: 'stytch', outcome: 'ok' }), 1);
  t.equal(await value('riskgate_provider_calls_total', { provider: 'stytch', outcome: 'circuit_open' }), 1);
  t.equal(await value('riskgate_provider_calls_total', { provider: 'mobilerun', outcome: 'ok' }), 0);
  t.equal(await value('riskgate_provider_call_seconds_count', { provider: 'stytch' }), 1);
});

t.test('shows one state of each breaker, which begins closed', async (t) => {
  const { observer, value } = createObserved();
  const states = () =>
    Promise.all(
      ['closed', 'half_open', 'open'].map((state) =>
        value('riskgate_provider_breaker_state', { provider: 'stytch', state }),
      ),
    );
  t.strictSame(await states(), [1, 0, 0]);
  observer.onCircuitChange({ provider: 'stytch', state: 'open' });
  t.strictSame(await states(), [0, 0, 1]);
  observer.onCircuitChange({ provider: 'stytch', state: 'half_open' });
  t.strictSame(await states(), [0, 1, 0]);
  t.equal(await value('riskgate_provider_breaker_state', { provider: 'mobilerun', state: 'closed' }), 1);
});

t.test('shows a provider as suspect for as long as it is', async (t) => {
  const { observer, value } = createObserved();
  t.equal(await value('riskgate_provider_suspect', { provider: 'stytch' }), 0);
  observer.onSuspectChange({ provider: 'stytch', isSuspect: true, ...SUSPICION });
  t.equal(await value('riskgate_provider_suspect', { provider: 'stytch' }), 1);
  observer.onSuspectChange({ provider: 'stytch', isSuspect: false, ...SUSPICION });
  t.equal(await value('riskgate_provider_suspect', { provider: 'stytch' }), 0);
});

t.test('counts custody and refusals', async (t) => {
  const { observer, value } = createObserved();
  observer.onCustody({ result: 'bound_elsewhere' });
  observer.onRefusal({ code: 'store_unavailable' });
  observer.onRefusal({ code: 'store_unavailable' });
  t.equal(await value('riskgate_custody_results_total', { result: 'bound_elsewhere' }), 1);
  t.equal(await value('riskgate_custody_results_total', { result: 'first_use' }), 0);
  t.equal(await value('riskgate_refusals_total', { code: 'store_unavailable' }), 2);
});

t.test('makes no series that was not there at the start', async (t) => {
  const { observer, metrics } = createObserved();
  const names = async () => [...metrics.text().matchAll(/^\w+(?:\{.*\})?/gm)].map(String);
  const before = await names();
  observer.onProviderCall({ provider: 'canary', outcome: 'ok', failure: null, latencyMs: 1, attempts: 1 });
  observer.onCircuitChange({ provider: 'canary', state: 'open' });
  observer.onSuspectChange({ provider: 'canary', isSuspect: true, ...SUSPICION });
  observer.onDecision(decisionOf('ALLOW', false, 1));
  t.ok(before.length > 80);
  t.strictSame(await names(), before);
});
