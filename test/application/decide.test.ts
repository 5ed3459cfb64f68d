import t from 'tap';
import { createDecide, type DecideDependencies } from '../../src/application/decide.ts';
import type {
  LookLimits,
  LookResult,
  ProviderQuery,
} from '../../src/application/evidence/evidence-source.ts';
import type { ProviderSlot } from '../../src/application/evidence/gather-evidence.ts';
import type { FactSource } from '../../src/application/facts/fact-source.ts';
import { loadPolicy } from '../../src/application/load-policy.ts';
import type { ReferenceData } from '../../src/domain/contradictions/reference-data.ts';
import type { SubjectFacts } from '../../src/domain/policy/subject-fact.ts';
import type { TelemetryCustody } from '../../src/domain/policy/telemetry-signals.ts';
import type { Subject } from '../../src/domain/subject.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { createManualClock } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';
import { createResult, createSource, disabledSlot, slotOf } from './sources.ts';

const SUBJECT: Subject = { telemetryId: 'telemetry', device: { kind: 'shared', id: 'device' } };
const ASK = { maxAgeMs: null, deadlineMs: null };

const POLICY = `policy: p
otherwise: ALLOW
rules:
  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: UNKNOWN_ID}
  - {id: payout, when: 'request.action == "payout"', verdict: CHALLENGE, reason: PAYOUT, on_unknown: IGNORE}
`;

/** Tells this custody; custody has tests of its own. */
function tellCustody(custody: TelemetryCustody): FactSource {
  return { names: ['telemetry'], ask: () => () => ({ telemetry: custody }) };
}

function load(text: string) {
  const loaded = loadPolicy(text, {
    providers: VENDORS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: () => 'digest',
  });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value;
}

const compiled = load(POLICY);

/** A policy that reads custody. */
const curious = load(
  `${POLICY}  - {id: replayed, when: telemetry.bound_elsewhere, verdict: BLOCK, reason: REPLAYED}\n`,
);

function createSlots(look?: () => LookResult | Promise<LookResult>): readonly ProviderSlot[] {
  return VENDORS.map(({ id, subject }) =>
    slotOf(id === 'stytch' ? createSource(id, subject, look) : createSource(id, subject)),
  );
}

function open(changes: Partial<DecideDependencies> = {}) {
  const clock = createManualClock(5_000);
  const decide = createDecide({
    slots: createSlots(),
    policy: () => compiled,
    facts: [tellCustody('none')],
    clock,
    newId: () => 'decision-1',
    deadlineMs: 1_000,
    ...changes,
  });
  return { decide, clock };
}

t.test('answers in place when all evidence is at hand', async (t) => {
  const { decide } = open();
  const decision = decide(SUBJECT, ASK);
  if (decision instanceof Promise) throw new Error('it went away');
  t.match(decision, {
    id: 'decision-1',
    verdict: 'ALLOW',
    degraded: false,
    policy: { id: 'p', hash: 'sha256:digest' },
    decidedAtMs: 5_000,
    expiresAtMs: 9_000,
    latencyMs: 0,
  });
  t.match(
    decision.evidence.map(({ provider, outcome }) => `${provider} ${outcome}`),
    ['stytch ok', 'mobilerun ok', 'prefactor ok'],
  );
});

t.test('vouches for no time to come when custody is unknown', async (t) => {
  const { decide } = open({ policy: () => curious, facts: [tellCustody('unknown')] });
  const { custody, verdict, decidedAtMs, expiresAtMs } = await decide(SUBJECT, ASK);
  t.equal(custody, 'unknown');
  t.equal(verdict, 'CHALLENGE');
  t.equal(expiresAtMs, decidedAtMs);
});

t.test('asks nobody for custody that the policy does not read', async (t) => {
  const ask = () => {
    t.fail('custody was asked for');
    return () => ({ telemetry: 'unknown' }) as const;
  };
  const { custody, verdict } = await open({ facts: [{ names: ['telemetry'], ask }] }).decide(SUBJECT, ASK);
  t.equal(custody, 'none');
  t.equal(verdict, 'ALLOW');
});

t.test('does not know custody that only a newer policy reads', async (t) => {
  const policies = [compiled, curious];
  const { decide } = open({ policy: () => policies.shift() ?? curious });
  t.match(await decide(SUBJECT, ASK), { custody: 'unknown', verdict: 'CHALLENGE', degraded: true });
});

t.test('waits for facts that are asked for once the evidence is there', async (t) => {
  const waiting = Promise.withResolvers<SubjectFacts>();
  const late: FactSource = { names: ['telemetry'], ask: () => () => waiting.promise };
  const { decide, clock } = open({ policy: () => curious, facts: [late] });
  const decision = decide(SUBJECT, ASK);
  t.ok(decision instanceof Promise);
  clock.advance(30);
  waiting.resolve({ telemetry: 'unknown' });
  const { custody, verdict, decidedAtMs, latencyMs } = await decision;
  t.equal(custody, 'unknown');
  t.equal(verdict, 'CHALLENGE');
  t.equal(decidedAtMs, 5_000, 'when the evidence was there');
  t.equal(latencyMs, 30);
});

t.test('names the visitor by the first provider that reports one', async (t) => {
  const told = [{}, { visitor: 'first' }, { visitor: 'second' }];
  const slots = VENDORS.map(({ id, subject }, place) =>
    slotOf(createSource(id, subject, () => createResult(id, { signals: { found: true, ...told[place] } }))),
  );
  t.equal((await open({ slots }).decide(SUBJECT, ASK)).visitor, 'first');
  t.equal((await open().decide(SUBJECT, ASK)).visitor, null, 'where none does');
});

t.test('judges signals as they are presented at the moment of the decision, for this request', async (t) => {
  const { decide, clock } = open();
  clock.advance(500);
  const { evidence, decidedAtMs } = await decide(SUBJECT, ASK);
  t.equal(decidedAtMs, 5_500);
  t.strictSame(evidence[0]?.signals, { found: true, presented_at: 5_500 });
  t.equal(evidence[0]?.ageMs, 4_500);
  const told = await decide({ ...SUBJECT, ip: '192.0.2.1' }, ASK);
  t.strictSame(told.evidence[0]?.signals, { found: true, presented_at: 5_500, told: '192.0.2.1' });
});

t.test('waits for evidence that is not at hand, and counts the time', async (t) => {
  const waiting = Promise.withResolvers<LookResult>();
  const { decide, clock } = open({ slots: createSlots(() => waiting.promise) });
  const decision = decide(SUBJECT, ASK);
  t.ok(decision instanceof Promise);
  clock.advance(70);
  waiting.resolve(createResult('stytch', { observedAtMs: 5_060 }));
  const { evidence, latencyMs, decidedAtMs } = await decision;
  t.equal(latencyMs, 70);
  t.equal(decidedAtMs, 5_070);
  t.match(evidence[0], { latencyMs: 70, ageMs: 10 });
});

t.test('judges by the policy in force at the end of the wait', async (t) => {
  const waiting = Promise.withResolvers<LookResult>();
  let inForce = compiled;
  const { decide } = open({ slots: createSlots(() => waiting.promise), policy: () => inForce });
  const decision = decide(SUBJECT, ASK);
  inForce = load(POLICY.replace('otherwise: ALLOW', 'otherwise: CHALLENGE'));
  waiting.resolve(createResult('stytch'));
  t.equal((await decision).verdict, 'CHALLENGE');
});

t.test('counts the deadline from when the request arrived, and not from when it was taken up', async (t) => {
  const asked: (number | undefined)[] = [];
  const hangs = () => Promise.withResolvers<LookResult>().promise;
  const slots = createSlots(hangs).map((slot) => ({
    ...slot,
    source: slot.source && {
      ...slot.source,
      look: (query: ProviderQuery, limits: LookLimits) => {
        asked.push(limits.deadlineAtMs);
        return slot.source?.look(query, limits) ?? hangs();
      },
    },
  }));
  const { decide } = open({ slots, clock: systemClock, deadlineMs: 60_000 });
  const receivedAtMs = systemClock.monotonicMs() - 59_980;
  const decision = await decide(SUBJECT, { ...ASK, receivedAtMs });
  t.match(decision.evidence, [{ outcome: 'timeout' }]);
  // The last 20 ms are for judging and answering.
  t.same(asked, Array(3).fill(receivedAtMs + 59_980));
});

t.test('leaves a share of the deadline for what comes after the evidence', async (t) => {
  const asked: number[] = [];
  const slots = createSlots(() => Promise.withResolvers<LookResult>().promise).map((slot) => ({
    ...slot,
    source: slot.source && {
      ...slot.source,
      look: (query: ProviderQuery, limits: LookLimits) => {
        asked.push(limits.deadlineAtMs ?? Number.NaN);
        return slot.source?.look(query, limits) ?? Promise.withResolvers<LookResult>().promise;
      },
    },
  }));
  const { decide } = open({ slots, clock: systemClock, deadlineMs: 50 });
  const receivedAtMs = systemClock.monotonicMs();
  await decide(SUBJECT, { ...ASK, receivedAtMs });
  t.same(asked, Array(3).fill(receivedAtMs + 49));
});

t.test('keeps to the shorter of its own and the deadline of the caller', async (t) => {
  const hangs = () => new Promise<LookResult>(() => {});
  for (const [deadlineMs, ownMs] of [
    [20, 60_000],
    [60_000, 20],
    [null, 20],
  ] as const) {
    const { decide } = open({ slots: createSlots(hangs), clock: systemClock, deadlineMs: ownMs });
    const decision = await decide(SUBJECT, { maxAgeMs: null, deadlineMs });
    t.match(decision, { verdict: 'CHALLENGE', degraded: true, evidence: [{ outcome: 'timeout' }] });
    t.ok(decision.latencyMs < 30_000);
  }
});

t.test('judges the request itself too', async (t) => {
  const { decide } = open();
  const asked = await decide({ ...SUBJECT, action: 'payout' }, ASK);
  t.match(asked, { verdict: 'CHALLENGE', reasons: [{ code: 'PAYOUT', certain: true }], waivers: [] });
  const silent = await decide(SUBJECT, ASK);
  t.match(silent, { verdict: 'ALLOW', waivers: [{ code: 'PAYOUT' }] });
});

t.test('shows no age where there is no evidence to age', async (t) => {
  const slots = [
    slotOf(
      createSource('stytch', 'telemetry_id', () =>
        createResult('stytch', { outcome: 'timeout', signals: null }),
      ),
    ),
    disabledSlot('mobilerun', 'device_id'),
    slotOf(createSource('prefactor', 'device_id')),
  ];
  const { decide, clock } = open({ slots });
  clock.advance(700);
  const { evidence } = await decide({ ...SUBJECT, device: { kind: 'shared', id: null } }, ASK);
  t.match(evidence, [
    { outcome: 'timeout', ageMs: 0, signals: null },
    { outcome: 'skipped', ageMs: 0, signals: null, origin: 'none' },
    { outcome: 'not_found', ageMs: 0, origin: 'none', signals: { found: false } },
  ]);
});

t.test('does not doubt that a missing id is not found, whoever is suspect', async (t) => {
  const slots = createSlots().map((slot) => ({
    ...slot,
    source: slot.source && { ...slot.source, isSuspect: () => true },
  }));
  const { decide } = open({ slots });
  const { evidence } = await decide({ ...SUBJECT, telemetryId: null }, ASK);
  t.match(evidence, [
    { outcome: 'not_found', suspect: false },
    { outcome: 'ok', suspect: true },
    { outcome: 'ok', suspect: true },
  ]);
});

t.test('never shows a negative age, whatever the clocks of other replicas say', async (t) => {
  const { decide } = open({ slots: createSlots(() => createResult('stytch', { observedAtMs: 6_000 })) });
  const { evidence } = await decide(SUBJECT, ASK);
  t.equal(evidence[0]?.ageMs, 0);
});

t.test('expires with the first piece of evidence', async (t) => {
  const expiryOf = async (look: () => LookResult, subject = SUBJECT) => {
    const { decide } = open({ slots: createSlots(look) });
    return (await decide(subject, ASK)).expiresAtMs;
  };
  t.equal(await expiryOf(() => createResult('stytch', { expiresAtMs: 7_000 })), 7_000);
  t.equal(await expiryOf(() => createResult('stytch', { expiresAtMs: 99_000 })), 9_000);
  t.equal(await expiryOf(() => createResult('stytch', { expiresAtMs: 1_000 })), 5_000, 'never before now');
  const outage = () => createResult('stytch', { outcome: 'unavailable', signals: null, expiresAtMs: null });
  t.equal(await expiryOf(outage), 5_000, 'at once where evidence is missing');
  const nobody: Subject = { telemetryId: null, device: { kind: 'shared', id: null } };
  t.equal(await expiryOf(() => createResult('stytch'), nobody), 5_000, 'at once where none was asked for');
});

t.test('lets in by a step-up that a rule takes, and only for as long as that is young', async (t) => {
  const text = `policy: p\notherwise: ALLOW\nrules:\n  - {id: r, when: '!request.device_id_given', verdict: CHALLENGE, reason: R, step_up: 60s}\n`;
  const policy = load(text);
  const decideWith = async (
    step_up: 'none' | 'unknown' | { age_seconds: number; method: string; acr: string },
  ) => {
    const { decide } = open({
      policy: () => policy,
      facts: [{ names: ['step_up'], ask: () => () => ({ step_up }) }],
    });
    return decide({ ...SUBJECT, device: { kind: 'shared', id: null } }, ASK);
  };
  for (const step_up of ['none', 'unknown'] as const)
    t.match(await decideWith(step_up), {
      verdict: 'CHALLENGE',
      challenge: { acr_values: [], max_age_seconds: 60 },
      facts: { step_up },
    });
  const step_up = { age_seconds: 57, method: 'otp', acr: '' };
  const decision = await decideWith(step_up);
  t.match(decision, { verdict: 'ALLOW', challenge: null, facts: { step_up } });
  t.equal(decision.expiresAtMs, decision.decidedAtMs + 3_000);
});

t.test('asks once where the address is, and tells it to a rule that reads it', async (t) => {
  const asked: string[] = [];
  const placeOfAddress = (ip: string) => {
    asked.push(ip);
    return ip === '192.0.2.1' ? { country: 'NG', asn: 64_496 } : null;
  };
  const rule =
    '{id: far, when: request.country == "NG" && request.asn == 64496, verdict: BLOCK, reason: FAR}';
  const reading = load(`${POLICY}  - ${rule}\n`);
  const verdictAt = async (ip: string | undefined, policy = reading) =>
    (await open({ policy: () => policy, placeOfAddress }).decide({ ...SUBJECT, ip }, ASK)).verdict;
  t.equal(await verdictAt('192.0.2.1'), 'BLOCK');
  t.equal(await verdictAt('192.0.2.2'), 'CHALLENGE', 'unknown where no file knows it');
  t.equal(await verdictAt(undefined), 'CHALLENGE', 'unknown without an address');
  t.equal(await verdictAt('192.0.2.1', compiled), 'ALLOW');
  t.same(
    asked,
    ['192.0.2.1', '192.0.2.2', '192.0.2.1'],
    'records and activity keep the place of every decision',
  );
  const { trace } = await open({ policy: () => reading }).decide({ ...SUBJECT, ip: '192.0.2.1' }, ASK);
  t.match(trace.at(-1), { rule: 'far', result: 'unknown' });
});

t.test(
  'keeps where the address is to a tenth of a degree, and nothing of one that could not be looked up',
  async (t) => {
    const placeAt = async (found: ReturnType<ReferenceData['placeOfAddress']>) =>
      (await open({ placeOfAddress: () => found }).decide({ ...SUBJECT, ip: '192.0.2.1' }, ASK)).place;
    t.same(await placeAt({ latitude: 52.5244, longitude: 13.4105 }), { latitude: 52.5, longitude: 13.4 });
    t.equal(await placeAt({ country: 'DE' }), null);
    t.equal(await placeAt('lost'), null);
    t.equal(await placeAt(null), null);
  },
);
