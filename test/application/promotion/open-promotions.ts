import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { compilePolicyText } from '../../../src/app/check-file.ts';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import { createChangePolicy } from '../../../src/application/policy-in-force/change-policy.ts';
import { createPolicyInForce } from '../../../src/application/policy-in-force/policy-in-force.ts';
import type { PolicyStore } from '../../../src/application/policy-in-force/policy-store.ts';
import {
  createRolloutSteps,
  type PromotionNotice,
} from '../../../src/application/promotion/change-rollout.ts';
import type { CountChanges } from '../../../src/application/promotion/count-changes.ts';
import type { Examination } from '../../../src/application/promotion/examine-candidate.ts';
import { createPromotions, type PromotedCandidate } from '../../../src/application/promotion/promotions.ts';
import { createReadRollout } from '../../../src/application/promotion/read-rollout.ts';
import { createPromotionWatch } from '../../../src/application/promotion/watch-promotion.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { NO_CHANGES, type SeenChanges } from '../../../src/domain/promotion/seen-changes.ts';
import { failure } from '../../../src/domain/result.ts';
import { PROVIDERS } from '../../../src/providers/registry.ts';
import { createMemoryPolicyStore } from '../../../src/stores/policy-in-force/memory-store.ts';

/** A policy of one rule, by what it challenges. */
export function policyOf(when: string, id = 'shop', promotion = 'min_hours: 1'): CompiledPolicy {
  const text = `policy: ${id}
promotion: { ${promotion} }
otherwise: ALLOW
rules:
  - { id: the-rule, when: '${when}', verdict: CHALLENGE, reason: THE_REASON }
`;
  const compiled = compilePolicyText(text, PROVIDERS);
  if (!compiled.ok) throw new Error(compiled.mistakes.join('\n'));
  return compiled.value;
}

export const GOOD: Examination = {
  cases: { kind: 'run', passed: 1, failed: [] },
  losses: { kind: 'analyzed', violations: [] },
};
/** Enough for every limit. */
export const QUIET: SeenChanges = { hours: 24, judged: 10_000, changedTo: NO_CHANGES, notJudged: 0 };
export const LOUD: SeenChanges = { ...QUIET, changedTo: { ...NO_CHANGES, BLOCK: 500 } };
export const SOMEBODY = { caller: 'deployer', requestId: 'request-1' };

/** A process that judges by this policy and shares what is in force with whoever has the same store. */
export function openPromotions({
  live = policyOf('!stytch.found'),
  candidates = [],
  store = createSharedStore(),
}: {
  readonly live?: CompiledPolicy;
  readonly candidates?: readonly PromotedCandidate[];
  readonly store?: PolicyStore;
} = {}) {
  const world = {
    nowMs: 1_000_000,
    seen: QUIET as SeenChanges | 'lost',
    examination: GOOD,
    /** What keeps the policy in force from being compiled again. */
    obstacles: [] as string[],
    file: live,
    asked: [] as unknown[],
    /** The log takes no record. */
    isLogLost: false,
  };
  const events: RecordedEvent[] = [];
  const notices: PromotionNotice[] = [];
  const looks: string[] = [];
  const failures: string[] = [];
  const clock = { nowMs: () => world.nowMs };
  const inForce = createPolicyInForce({
    store,
    file: () => world.file,
    find: (hash) =>
      [live, ...candidates.map(({ policy }) => policy)].find((one) => one.hash === hash) ?? null,
    compile: async (text) => compilePolicyText(text, PROVIDERS),
    clock,
    newId: randomUUID,
    onTaken: () => {},
    onRefused: () => {},
    onFileDiffers: () => {},
    onNoted: () => {},
  });
  const record = async (event: RecordedEvent) => {
    if (world.isLogLost) throw new RiskgateError('decision_log_unavailable', 'no log');
    events.push(event);
  };
  const change = createChangePolicy({
    store,
    inForce,
    file: () => world.file,
    check: async () => [],
    textOf: (hash) => store.find(hash),
    clock,
    newId: randomUUID,
    record,
  });
  const steps = createRolloutSteps({ change, clock, record, onNotice: (notice) => notices.push(notice) });
  const rollout = createReadRollout(inForce);
  const count: CountChanges = async (question) => {
    world.asked.push(question);
    // As long as reading takes, so that others come between.
    await delay(1);
    if (world.seen === 'lost') throw new Error('lost');
    return world.seen;
  };
  const parts = { store, steps, inForce, rollout, count, clock };
  const promotions = createPromotions({
    ...parts,
    candidates: (id) => candidates.filter(({ policy }) => policy.id === id),
    examine: async () => world.examination,
    compile: async (text) =>
      world.obstacles.length > 0 ? failure(world.obstacles) : compilePolicyText(text, PROVIDERS),
  });
  const watch = createPromotionWatch({
    ...parts,
    onLook: (result) => looks.push(result),
    onFailed: (what) => failures.push(what),
  });
  return {
    world,
    events,
    notices,
    looks,
    failures,
    inForce,
    change,
    rollout,
    promotions,
    watch,
    store,
    parts,
  };
}

/** In memory, and for several as if it were in Redis. */
export function createSharedStore(): PolicyStore {
  return { ...createMemoryPolicyStore(), place: 'redis' };
}
