import fc from 'fast-check';
import t from 'tap';
import { createCustody } from '../../src/application/custody/custody.ts';
import { toCustodyFacts } from '../../src/application/custody/custody-facts.ts';
import { createDecide } from '../../src/application/decide.ts';
import type { ProviderSlot } from '../../src/application/evidence/gather-evidence.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Signals } from '../../src/domain/evidence.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import type { DeviceIds, Subject } from '../../src/domain/subject.ts';
import { stricterOf, type Verdict } from '../../src/domain/verdict.ts';
import { createMemoryCustodyStore } from '../../src/stores/custody/memory-store.ts';
import { createResult, createSource, disabledSlot, slotOf } from '../application/sources.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { onLists } from '../support/on-lists.ts';
import { createManualClock } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const RUNS = { numRuns: 200, seed: 20261129 };

/** The best that each provider can say, of every id. */
const CLEAN: Readonly<Record<string, Signals>> = {
  stytch: { found: true, action: 'ALLOW', reasons: [], is_authentic: true },
  mobilerun: { found: true, supported: true },
  prefactor: { found: true, status: 'active' },
};

function open(policy: CompiledPolicy, enabledDevices: readonly string[]) {
  const clock = createManualClock(5_000);
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
  const decide = createDecide({
    slots,
    policy: () => policy,
    facts: [toCustodyFacts(custody), { names: ['lists'], ask: (asked) => () => onLists(asked.policy) }],
    clock,
    newId: () => 'id',
    deadlineMs: 1_000,
  });
  return (subject: Subject): Decision => {
    const decision = decide(subject, { maxAgeMs: null, deadlineMs: null });
    if (decision instanceof Promise) throw new Error('it went away');
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
}
