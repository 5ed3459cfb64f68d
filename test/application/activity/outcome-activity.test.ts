import t from 'tap';
import type { ActivityChange, ActivityStore } from '../../../src/application/activity/activity-store.ts';
import { createClaims } from '../../../src/application/activity/claims.ts';
import { createOutcomeActivity } from '../../../src/application/activity/outcome-activity.ts';
import type { ToldOutcome } from '../../../src/application/decision-log/outcome-listener.ts';
import { measureNumber } from '../../../src/domain/activity/activity-measures.ts';
import { nameOfPlace } from '../../../src/domain/activity/seen-name.ts';
import type { OutcomeLabel } from '../../../src/domain/decision-log/outcome-label.ts';
import { createMemoryActivityStore } from '../../../src/stores/activity/memory-store.ts';
import { createManualClock } from '../../support/test-app.ts';
import { createSource, slotOf } from '../sources.ts';

const HASH = '0123456789abcdef0123456789abcdef';
const DECIDED_AT = '2026-11-30T08:00:00.500Z';
const DECIDED_AT_SECONDS = Math.floor(Date.parse(DECIDED_AT) / 1000);
const SUBJECT = { telemetry: HASH, devices: [HASH, 'f'.repeat(32)], account: HASH };

function open(changes: Partial<ActivityStore> = {}, nowSeconds = DECIDED_AT_SECONDS + 86_400) {
  const clock = createManualClock(nowSeconds * 1000);
  const memory = createMemoryActivityStore({ clock });
  const added: ActivityChange[] = [];
  const unclaimed: string[] = [];
  const store: ActivityStore = {
    take: memory.take.bind(memory),
    add: memory.add.bind(memory),
    forget: memory.forget.bind(memory),
    claim: memory.claim.bind(memory),
    settle: memory.settle.bind(memory),
    unclaim: (names) => {
      unclaimed.push(...names);
      return memory.unclaim(names);
    },
    addNow: (all) => {
      added.push(...all);
      return true;
    },
    ...changes,
  };
  const claims = createClaims(store, [(text) => text]);
  const onOutcome = createOutcomeActivity({
    slots: [slotOf(createSource('stytch', 'telemetry_id')), slotOf(createSource('other', 'device_id'))],
    store,
    claims,
    clock,
  });
  const tell = (label: OutcomeLabel['label'], subject: object = SUBJECT, labels: readonly object[] = []) => {
    const stytch = { outcome: 'ok', signals: { found: true, country: 'DE' } };
    const record = { decision_id: 'one', decided_at: DECIDED_AT, subject, providers: { stytch } };
    return onOutcome({
      record,
      label,
      labels,
      isNew: true,
      method: null,
      acr: null,
    } as unknown as ToldOutcome);
  };
  return { tell, added, unclaimed };
}

t.test('counts a fraud for all that the record names, and makes its values unknown again', async (t) => {
  const { tell, added } = open();
  t.equal(await tell('fraud', { ...SUBJECT, network: HASH, visitor: HASH }), true);
  t.same(
    added.slice(4).map(({ entity }) => entity),
    added.slice(0, 4).map(({ entity }) => entity),
  );
  t.same(
    added.slice(0, 4).map(({ entity }) => entity),
    [
      { part: 'account', hash: HASH },
      { part: 'device', hash: HASH },
      { part: 'ip', hash: HASH },
      { part: 'visitor', hash: HASH },
    ],
  );
  for (const { acceptance, measures, atSeconds } of added.slice(0, 4))
    t.same([acceptance, measures, atSeconds], ['revoked', [], DECIDED_AT_SECONDS]);
  for (const { acceptance, measures, values, atSeconds } of added.slice(4))
    t.same([acceptance, measures, values, atSeconds], [null, [measureNumber('fraud_labels')], [], undefined]);
  t.ok(added[0]?.values.includes(0x4445), 'with the country of its evidence');
});

t.test('knows what records of before lack', async (t) => {
  const { tell, added } = open();
  t.equal(await tell('challenge_failed'), true);
  t.same(
    added.map(({ entity }) => entity.part),
    ['account', 'device', 'account', 'device'],
  );
  t.same(added[2]?.measures, [measureNumber('challenges_failed')]);
  t.equal(await tell('fraud', { telemetry: HASH, devices: [], account: null }), true);
  t.equal(added.length, 4, 'of nobody nothing is kept');
});

t.test('makes known what passed a challenge or was legit, and counts nothing for it', async (t) => {
  for (const label of ['challenge_passed', 'legit'] as const) {
    const { tell, added } = open();
    t.equal(await tell(label), true);
    t.same(
      added.map(({ acceptance, measures }) => [acceptance, measures]),
      [
        ['accepted', []],
        ['accepted', []],
      ],
    );
  }
});

t.test('dates what a late label says to when it was decided, and tells where that was', async (t) => {
  const { tell, added } = open();
  const place = { latitude: 52.5, longitude: 13.4 };
  t.equal(await tell('legit', { ...SUBJECT, place }), true);
  t.equal(added[0]?.atSeconds, DECIDED_AT_SECONDS);
  t.ok(added[0]?.values.includes(nameOfPlace(place)), 'by its address, which no record has');
  const early = open({}, DECIDED_AT_SECONDS - 60);
  await early.tell('legit');
  t.equal(
    early.added[0]?.atSeconds,
    DECIDED_AT_SECONDS - 60,
    'never in the future of a clock that is behind',
  );
});

t.test('takes no part in other labels, and in a repeated one only once', async (t) => {
  const { tell, added } = open();
  t.equal(await tell('abandoned'), true);
  t.same(added, []);
  t.equal(await tell('fraud'), true);
  t.equal(await tell('fraud'), true);
  t.equal(added.length, 4);
});

t.test('says that it is not done, so that it is told again', async (t) => {
  t.equal(await open({ claim: () => null }).tell('fraud'), false);
  const full = open({ addNow: () => false });
  t.equal(await full.tell('fraud'), false);
  t.equal(full.unclaimed.length, 1);
  t.equal(await open({ claim: () => ['open'] }).tell('fraud'), false, 'whoever counts it now may fail to');
  const counted = open();
  t.equal(await counted.tell('fraud'), true);
  const once = counted.added.length;
  t.equal(await counted.tell('fraud'), true);
  t.equal(counted.added.length, once);
});

const FRAUD_AT = '2026-12-01T07:00:00.000Z';
const FRAUD = { label: 'fraud', at: FRAUD_AT };
const WITHDRAWN = { label: 'withdrawn', at: '2026-12-01T07:30:00.000Z' };
const PHONE = { telemetry: HASH, devices: [HASH], account: null };

t.test('counts a fraud that is withdrawn against it, at its time and once', async (t) => {
  const { tell, added } = open();
  t.equal(await tell('fraud', PHONE, [FRAUD]), true);
  t.equal(await tell('withdrawn', PHONE, [FRAUD, WITHDRAWN]), true);
  t.equal(await tell('withdrawn', PHONE, [FRAUD, WITHDRAWN]), true);
  t.match(added.slice(2), [
    { acceptance: 'revoked', measures: [] },
    {
      acceptance: null,
      measures: [measureNumber('fraud_labels_withdrawn')],
      atSeconds: Date.parse(FRAUD_AT) / 1000,
    },
  ]);
  t.equal(added.length, 4);
  t.equal(await tell('fraud', PHONE, [FRAUD, WITHDRAWN, FRAUD]), true);
  t.same(
    added.at(-1)?.measures,
    [measureNumber('fraud_labels')],
    'and counts it again when it is said again',
  );
});

t.test('counts once at most against a label, also where nobody knows whether it was counted', async (t) => {
  const counted: ActivityChange[] = [];
  const isOfLabel = ({ measures }: ActivityChange) =>
    measures.includes(measureNumber('fraud_labels_withdrawn'));
  let repliesLost = 0;
  const { tell } = open({
    addNow: (all) => {
      counted.push(...all);
      const isLost = repliesLost > 0 && all.some(isOfLabel);
      if (isLost) repliesLost -= 1;
      return !isLost;
    },
  });
  await tell('fraud', PHONE, [FRAUD]);
  repliesLost = 1;
  while (!(await tell('withdrawn', PHONE, [FRAUD, WITHDRAWN])));
  await tell('withdrawn', PHONE, [FRAUD, WITHDRAWN]);
  t.equal(counted.filter(isOfLabel).length, 1);
});

t.test('does not accept what a later label revokes, in whatever order they are told', async (t) => {
  const passed = { label: 'challenge_passed', at: DECIDED_AT };
  const abandoned = { label: 'abandoned', at: WITHDRAWN.at };
  for (const label of ['fraud', 'challenge_failed']) {
    const { tell, added } = open();
    t.equal(await tell('challenge_passed', PHONE, [passed, { label, at: FRAUD_AT }, abandoned]), true);
    t.same(added, [], label);
  }
  const mended = open();
  t.equal(await mended.tell('challenge_passed', PHONE, [FRAUD, { ...passed, at: WITHDRAWN.at }]), true);
  t.match(mended.added, [{ acceptance: 'accepted' }], 'but what was said after it');
  const late = open();
  t.equal(await late.tell('fraud', PHONE, [FRAUD, { ...passed, at: WITHDRAWN.at }]), true);
  t.match(late.added, [{ acceptance: 'revoked' }, {}], 'and a fraud that is told late counts');
});

t.test('does nothing for a label that is told once more after it was withdrawn', async (t) => {
  for (const label of ['fraud', 'legit'] as const) {
    const said = { label, at: FRAUD_AT };
    const { tell, added } = open();
    await tell(label, PHONE, [said]);
    await tell('withdrawn', PHONE, [said, WITHDRAWN]);
    const { length } = added;
    t.equal(await tell(label, PHONE, [said, WITHDRAWN]), true);
    t.equal(added.length, length, label);
  }
});

t.test('does not take back what was never counted, nor a label of long ago', async (t) => {
  const { tell, added, unclaimed } = open();
  t.equal(await tell('withdrawn', PHONE, [FRAUD, WITHDRAWN]), true);
  t.match(added, [{ acceptance: 'revoked', measures: [] }]);
  t.same(unclaimed, ['["one","fraud"]'], 'and leaves it to be counted');
  const early = open({}, Date.parse(FRAUD_AT) / 1000 - 60);
  await early.tell('fraud', PHONE, [FRAUD]);
  await early.tell('withdrawn', PHONE, [FRAUD, WITHDRAWN]);
  t.equal(early.added.at(-1)?.atSeconds, Date.parse(FRAUD_AT) / 1000 - 60, 'never in the future');
});

t.test('makes unknown again what a withdrawn label made known', async (t) => {
  const { tell, added } = open();
  const legit = { label: 'legit', at: FRAUD_AT };
  await tell('legit', PHONE, [legit]);
  t.equal(await tell('withdrawn', PHONE, [legit, WITHDRAWN]), true);
  t.same(
    added.map(({ acceptance }) => acceptance),
    ['accepted', 'revoked'],
  );
  const nothing = open();
  t.equal(await nothing.tell('withdrawn', PHONE, [{ label: 'abandoned', at: FRAUD_AT }, WITHDRAWN]), true);
  t.equal(await nothing.tell('withdrawn', PHONE), true, 'nothing was said');
  t.same(nothing.added, []);
});

t.test('says that a withdrawal is not done where it is not known what was counted', async (t) => {
  for (const found of [null, ['open' as const]]) {
    let asked = 0;
    const { tell, added, unclaimed } = open({ claim: () => (asked++ === 0 ? ['new'] : found) });
    t.equal(await tell('withdrawn', PHONE, [FRAUD, WITHDRAWN]), false);
    t.same(added, []);
    t.ok(unclaimed.includes('["one","withdrawn",1]'));
  }
});
