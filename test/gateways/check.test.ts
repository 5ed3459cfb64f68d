import { randomUUIDv7 } from 'node:crypto';
import { pino } from 'pino';
import t from 'tap';
import { createBlockAmbiguous } from '../../src/application/block-ambiguous.ts';
import type { Decide } from '../../src/application/decide.ts';
import type { DecisionEvent } from '../../src/application/observers.ts';
import { type RecordDecision, settleDecisions } from '../../src/application/settle-decision.ts';
import { RiskgateError } from '../../src/domain/errors.ts';
import { createCheck, type GatewayQuestion } from '../../src/gateways/check.ts';
import { DEFAULT_PROFILE } from '../../src/gateways/profile.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { createManualClock } from '../support/test-app.ts';

const clock = createManualClock();
const policy = loadPolicyFile('default.yaml');
const block = createBlockAmbiguous({ slots: [], policy: () => policy, clock, newId: randomUUIDv7 });
const EXEMPT = { path: '/health', isPrefix: false };

/** The flow with one profile, and a use case and a log of the test. */
function open(decide: Decide, isGateway = true, record: RecordDecision | null = null) {
  const places = { taken: 0, givenBack: 0 };
  const told: string[] = [];
  const observer = { onDecision: ({ decision }: DecisionEvent) => void told.push(decision.id) };
  const settle = (unsettled: Decide) => settleDecisions(unsettled, { record, observer });
  const check = createCheck({
    profiles: () => ({
      byName: new Map([['default', { ...DEFAULT_PROFILE, exemptPaths: [EXEMPT] }]]),
      wellKnown: [],
    }),
    decide: settle(decide),
    blockAmbiguous: settle(block),
    observer: { onUnreadableAddress: () => undefined },
    findKeyHolder: () => (isGateway ? { id: 'edge', limits: null } : null),
    holdToLimits: () => {
      places.taken += 1;
      return {
        isGranted: true,
        rate: null,
        release: () => {
          places.givenBack += 1;
        },
      };
    },
    overload: () => null,
    noteRefusal: () => {},
    clock,
    logger: pino({ level: 'silent' }),
  });
  return { check, places, told };
}

function questionAbout(target: string): GatewayQuestion {
  const headers = { 'x-riskgate-key': ['a key'], 'x-telemetry-id': ['a'], 'x-device-id': ['b'] };
  return {
    dialect: 'nginx',
    profile: 'default',
    credentials: { headers, peerAddress: undefined },
    original: () => ({ method: 'GET', target, host: null, headers }),
    requestId: 'request-1',
  };
}

const UNRECORDED = new RiskgateError('decision_log_unavailable', 'not recorded');
const DEFECT = new TypeError('a defect');
const fail = (error: Error): never => {
  throw error;
};

/** How a use case can end, and the reason that the gateway reads. */
const ENDINGS: readonly (readonly [string, Decide, string])[] = [
  ['a decision in place', block, 'SUBJECT_AMBIGUOUS'],
  ['a decision later', async (subject, options) => block(subject, options), 'SUBJECT_AMBIGUOUS'],
  ['a refusal in place', () => fail(UNRECORDED), 'UNRECORDED'],
  ['a refusal later', async () => fail(UNRECORDED), 'UNRECORDED'],
  ['a defect in place', () => fail(DEFECT), 'INTERNAL'],
  ['a defect later', async () => fail(DEFECT), 'INTERNAL'],
];

for (const [ending, decide, reason] of ENDINGS) {
  t.test(`gives a caller's place back after ${ending}`, async (t) => {
    const { check, places } = open(decide);
    t.same((await check(questionAbout('/'))).reasons, [reason]);
    t.same(places, { taken: 1, givenBack: 1 });
  });
}

t.test('lets nobody in whom it does not know for a gateway, exempt or not', async (t) => {
  const stranger = open(block, false);
  t.match(await stranger.check(questionAbout('/health')), {
    decision: 'BLOCK',
    reasons: ['CALLER_UNKNOWN'],
    effect: { kind: 'forbid' },
  });
  t.match(await open(block).check(questionAbout('/health')), { decision: 'ALLOW', reasons: ['EXEMPT'] });
});

t.test('does not let a retry wait for a decision that could not be recorded', async (t) => {
  const gates: PromiseWithResolvers<void>[] = [];
  const record: RecordDecision = () => {
    if (gates.length > 0) return undefined;
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  };
  const { check, told } = open(block, true, record);
  const first = check(questionAbout('/'));
  const retry = check(questionAbout('/'));
  await new Promise(setImmediate);
  gates[0]?.reject(UNRECORDED);
  t.same((await first).reasons, ['UNRECORDED']);
  const { decisionId } = await retry;
  t.same(told, [decisionId]);
});
