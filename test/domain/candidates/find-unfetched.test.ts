import t from 'tap';
import { findUnfetched } from '../../../src/domain/candidates/find-unfetched.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

type Rule = readonly [when: string, fields?: Record<string, unknown>];

/** A policy of these conditions. */
function policyOf(rules: readonly Rule[], fields: Record<string, unknown> = {}) {
  return compiled(
    documentOf(
      rules.map(([when, more], place) => rule(when, { id: `rule-${place}`, ...more })),
      { lists: ['blocked', 'trusted'], ...fields },
    ),
  );
}

const CHALLENGE = { verdict: 'CHALLENGE' } as const;

const CASES: Readonly<
  Record<
    string,
    { live: Parameters<typeof policyOf>; candidate: Parameters<typeof policyOf>; lacks: string[] }
  >
> = {
  'evidence of providers, which are all asked': {
    live: [[['!a.found']]],
    candidate: [[['b.found && b.score > 1.0 && providers.b.suspect']]],
    lacks: [],
  },
  'what the live policy reads too': {
    live: [[['telemetry.expired'], ['activity.account.decisions_1h > 5 && lists.blocked.device']]],
    candidate: [[['telemetry.uses > 1 || lists.blocked.device'], ['activity.account.decisions_1h > 9']]],
    lacks: [],
  },
  'custody that the live policy does not read': {
    live: [[['!a.found']]],
    candidate: [[['telemetry.uses > 1']]],
    lacks: ['telemetry.expired', 'telemetry.uses'],
  },
  'another window of activity': {
    live: [[['activity.account.decisions_1h > 5']]],
    candidate: [[['activity.account.decisions_24h > 5 && activity.account.decisions_1h > 5']]],
    lacks: ['activity.account.decisions_24h'],
  },
  'another part of a list': {
    live: [[['lists.blocked.device']]],
    candidate: [[['lists.blocked.account || lists.blocked.device']]],
    lacks: ['lists.blocked.account'],
  },
  'a list that is trusted instead of feared': {
    live: [[['lists.trusted.device']]],
    candidate: [[['!lists.trusted.device']]],
    lacks: ['lists.trusted.device'],
  },
  'step-ups that satisfy nothing of the live policy': {
    live: [[['!a.found']]],
    candidate: [[['!a.found', { ...CHALLENGE, step_up: '1h' }]]],
    lacks: ['step_up'],
  },
  'step-ups of the live policy': {
    live: [[['!a.found', { ...CHALLENGE, step_up: '1h' }]]],
    candidate: [[['step_up.age_seconds > 60', CHALLENGE]]],
    lacks: [],
  },
  'step-ups that are older than the live policy can use': {
    live: [[['!a.found', { ...CHALLENGE, step_up: '1h' }]]],
    candidate: [[['!a.found && step_up.age_seconds > 60', { ...CHALLENGE, step_up: '7d' }]]],
    lacks: ['step_up', 'step_up.age_seconds'],
  },
  'a contradiction that the live policy does not look for': {
    live: [[['contradictions.os_family']]],
    candidate: [[['contradictions.os_family || contradictions.tls_client']]],
    lacks: ['contradictions.tls_client'],
  },
  'one contradiction of all': {
    live: [[['contradictions.count > 1']]],
    candidate: [[['contradictions.tls_client']]],
    lacks: [],
  },
  'a contradiction with another parameter': {
    live: [
      [['contradictions.identity_reuse']],
      { parameters: { identity_devices: { type: 'int', value: 3 } } },
    ],
    candidate: [
      [['contradictions.identity_reuse || contradictions.tls_client']],
      { parameters: { identity_devices: { type: 'int', value: 4 } } },
    ],
    lacks: ['contradictions.identity_reuse', 'contradictions.tls_client'],
  },
  'custody that contradictions alone asked for': {
    live: [[['contradictions.count > 1']]],
    candidate: [[['telemetry.uses > 1']]],
    lacks: [],
  },
};

for (const [name, { live, candidate, lacks }] of Object.entries(CASES))
  t.test(`tells of ${name}`, async (t) => {
    t.same(findUnfetched(policyOf(...live), policyOf(...candidate)), lacks);
    t.same(findUnfetched(policyOf(...candidate), policyOf(...candidate)), [], 'nothing of itself');
  });
