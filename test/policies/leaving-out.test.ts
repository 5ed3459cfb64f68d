import { hash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { createActivity } from '../../src/application/activity/activity.ts';
import { createContradictionFacts } from '../../src/application/contradictions/contradiction-facts.ts';
import { createCustody } from '../../src/application/custody/custody.ts';
import { toCustodyFacts } from '../../src/application/custody/custody-facts.ts';
import { createDecide } from '../../src/application/decide.ts';
import type { ProviderSlot } from '../../src/application/evidence/gather-evidence.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Signals } from '../../src/domain/evidence.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { onLists } from '../../src/domain/policy-tests/on-lists.ts';
import type { DeviceIds, Subject } from '../../src/domain/subject.ts';
import { stricterOf, type Verdict } from '../../src/domain/verdict.ts';
import { createMemoryActivityStore } from '../../src/stores/activity/memory-store.ts';
import { createMemoryCustodyStore } from '../../src/stores/custody/memory-store.ts';
import { createResult, createSource, disabledSlot, slotOf } from '../application/sources.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { SMALL_WORLD } from '../support/reference-data.ts';
import { createManualClock } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const HOUR_MS = 3_600_000;
const RUNS = { numRuns: 200, seed: 20261129 };

/** The best that each provider can say, of every id. */
const CLEAN: Readonly<Record<string, Signals>> = {
  stytch: { found: true, action: 'ALLOW', reasons: [], is_authentic: true },
  mobilerun: { found: true, supported: true },
  prefactor: { found: true, status: 'active' },
};

/** Hashes of 32 hex digits, other ones for each part. */
const hashAs = (part: string) => (id: string) => hash('sha256', `${part} ${id}`).slice(0, 32);
const HASHES = {
  keyId: 'k',
  telemetry: hashAs('telemetry'),
  device: hashAs('device'),
  account: hashAs('account'),
  network: hashAs('network'),
};

function open(policy: CompiledPolicy, enabledDevices: readonly string[]) {
  const clock = createManualClock(1_800_000_000_000);
  const toSlot = (id: string, subject: ProviderSlot['subject'], isEnabled: boolean) =>
    isEnabled
      ? slotOf({
          ...createSource(id, subject, () => createResult(id, { signals: CLEAN[id] ?? null })),
          present: (signals) => signals,
        })
      : disabledSlot(id, subject);
  const slots = VENDORS.map(({ id, subject }) =>
    toSlot(id, subject, id === 'stytch' || enabledDevices.includes(id)),
  );
  const same = (id: string) => id;
  const custody = createCustody({
    slots,
    store: createMemoryCustodyStore({ clock, retentionMs: 3_600_000, entriesMax: 10 }),
    hashes: [{ telemetry: same, device: same, account: same }],
    clock,
    observer: { onCustody: () => {} },
  });
  const store = createMemoryActivityStore({ clock });
  const activity = createActivity({ slots, store, hashes: [HASHES], clock });
  const decide = createDecide({
    slots,
    policy: () => policy,
    facts: [
      toCustodyFacts(custody),
      activity.facts,
      { names: ['lists'], ask: (asked) => () => onLists(asked.policy) },
      createContradictionFacts(SMALL_WORLD),
    ],
    clock,
    newId: () => 'id',
    deadlineMs: 1_000,
  });
  /** What is answered after so many hours more. */
  return (subject: Subject, hours = 0): Decision => {
    clock.advance(hours * HOUR_MS);
    const decision = decide(subject, { maxAgeMs: null, deadlineMs: null });
    if (decision instanceof Promise) throw new Error('it went away');
    activity.remember(decision, subject);
    return decision;
  };
}

const NO_DEVICE: DeviceIds = { kind: 'shared', id: null };

function devices(ids: readonly string[]): fc.Arbitrary<DeviceIds> {
  const id = fc.constantFrom(...ids);
  return fc.oneof(
    id.map((shared): DeviceIds => ({ kind: 'shared', id: shared })),
    fc
      .record({ mobilerun: id, prefactor: id }, { requiredKeys: [] })
      .filter((named) => Object.keys(named).length > 0)
      .map((named): DeviceIds => ({ kind: 'named', ids: new Map(Object.entries(named)) })),
  );
}

/** An account's requests with devices or none, each with an id of its own, over days or within minutes. */
const pastOfAccount = fc.array(
  fc.record({
    device: fc.option(fc.constantFrom('d1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7')),
    hours: fc.constantFrom(0, 0, 0.1, 1, 200, 400),
  }),
  { minLength: 1, maxLength: 12 },
);

const account = fc.option(fc.constantFrom('a1', 'a2'), { nil: undefined });
const scene = fc.record({
  enabled: fc.constantFrom([], ['mobilerun'], ['prefactor'], ['mobilerun', 'prefactor']),
  held: devices(['d1', 'd2']),
  heldAccount: account,
  wrong: devices(['d3', 'd4']),
  askedAccount: account,
});

/**
 * What a milder verdict than a wrong device comes to: a BLOCK where a device API is asked, and otherwise no
 * ALLOW.
 */
function leastFor(wrong: Verdict, hasDeviceApi: boolean): Verdict {
  return wrong === 'ALLOW' || hasDeviceApi ? wrong : 'CHALLENGE';
}

for (const policyFile of ['default.yaml', 'strict.yaml']) {
  const policy = loadPolicyFile(policyFile);
  t.test(
    `${policyFile} gives no ALLOW for leaving a device out that a wrong one would not get`,
    async (t) => {
      let softened = 0;
      fc.assert(
        fc.property(scene, ({ enabled, held, heldAccount, wrong, askedAccount }) => {
          const verdictOf = (device: DeviceIds) => {
            const ask = open(policy, enabled);
            ask({ telemetryId: 't', device: held, accountId: heldAccount });
            return ask({ telemetryId: 't', device, accountId: askedAccount }).verdict;
          };
          const [forged, omitted] = [verdictOf(wrong), verdictOf(NO_DEVICE)];
          if (omitted !== forged) softened += 1;
          const least = leastFor(forged, enabled.length > 0);
          return stricterOf(omitted, least) === omitted;
        }),
        RUNS,
      );
      t.ok(softened > 10, `${softened} were challenged instead of blocked`);
    },
  );

  t.test(`${policyFile} can read that an account is left out wherever a wrong one is a replay`, async (t) => {
    let omissions = 0;
    fc.assert(
      fc.property(scene, ({ enabled, held, heldAccount }) => {
        const custodyOf = (accountId: string | undefined) => {
          const ask = open(policy, enabled);
          ask({ telemetryId: 't', device: held, accountId: heldAccount });
          const { custody } = ask({ telemetryId: 't', device: held, accountId });
          if (typeof custody === 'string') throw new Error('custody is not known');
          return custody;
        };
        const isForgeryTold = custodyOf('a3').bound_elsewhere;
        const isOmissionTold = custodyOf(undefined).omits_account;
        if (isOmissionTold) omissions += 1;
        return isForgeryTold === isOmissionTold;
      }),
      RUNS,
    );
    t.ok(omissions > 100, `${omissions} left the account out`);
  });

  t.test(
    `${policyFile} is no milder with an account's request without a device than with a new one`,
    async (t) => {
      const counts = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };
      fc.assert(
        fc.property(pastOfAccount, (past) => {
          const last = past.findLastIndex(({ device }) => device !== null);
          const hoursSince = past.slice(last + 1).reduce((sum, { hours }) => sum + hours, 0);
          // An account that has used no device for 30 days may go on without one.
          if (last === -1 || hoursSince >= 720) return true;
          const verdictOf = (device: DeviceIds) => {
            const ask = open(policy, []);
            past.forEach(({ device: id, hours }, place) => {
              ask({ telemetryId: `t${place}`, device: { kind: 'shared', id }, accountId: 'a' }, hours);
            });
            return ask({ telemetryId: 'new', device, accountId: 'a' }).verdict;
          };
          const [added, omitted] = [verdictOf({ kind: 'shared', id: 'new' }), verdictOf(NO_DEVICE)];
          counts[added] += 1;
          return stricterOf(omitted, added) === omitted;
        }),
        RUNS,
      );
      t.ok(counts.ALLOW > 10 && counts.CHALLENGE > 10, JSON.stringify(counts));
    },
  );
}
