import t from 'tap';
import { measureNumber } from '../../../src/domain/activity/activity-measures.ts';
import { ACTIVITY_PARTS, SEEN_KINDS, type SeenKind } from '../../../src/domain/activity/activity-parts.ts';
import { activitySignals } from '../../../src/domain/activity/activity-signals.ts';
import {
  type ActivityState,
  count,
  createActivityState,
  see,
} from '../../../src/domain/activity/activity-state.ts';
import type { ActivityView } from '../../../src/domain/activity/activity-view.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;
const OWN_NAME = 4711;
const OWN: readonly (number | null)[] = SEEN_KINDS.map(() => OWN_NAME);

function valueOfKind(kind: SeenKind, name = OWN_NAME): [kind: number, name: number] {
  return [SEEN_KINDS.indexOf(kind), name];
}

/** One signal of an account. */
function signalOf(name: string) {
  const signal = activitySignals('account', []).find((each) => each.name === name);
  if (signal === undefined) throw new Error(`no signal ${name}`);
  return signal;
}

function readOf(name: string, state: ActivityState, view: Partial<ActivityView> = {}) {
  return signalOf(name).read([{ ...viewOf(state), ...view }]);
}

function viewOf(state: ActivityState): ActivityView {
  return { state, sinceSeconds: 0, nowSeconds: NOW, keyPlace: 0, own: OWN };
}

t.test('has the signals of each part, and none of what a part is itself', async (t) => {
  const namesOf = (part: (typeof ACTIVITY_PARTS)[number]) =>
    activitySignals(part, ['coupon_used']).map(({ name }) => name);
  for (const part of ACTIVITY_PARTS) {
    const names = namesOf(part);
    t.equal(new Set(names).size, names.length, `${part}: no name twice`);
    t.ok(names.includes('decisions_1m'));
    t.equal(names.includes('telemetry_ids_30d'), part !== 'hardware');
    t.notOk(
      names.some((name) => name.startsWith('places')),
      'nobody counts places',
    );
    t.ok(names.includes('first_seen_seconds'));
    t.equal(names.includes('known_device'), part === 'account');
    t.equal(
      names.includes('coupon_used_7d'),
      !['visitor', 'hardware'].includes(part),
      'evidence alone names them',
    );
  }
  t.notOk(namesOf('account').includes('accounts_1h'));
  t.notOk(namesOf('device').includes('devices_1h'));
  t.notOk(namesOf('ip').includes('ips_1h'));
  t.ok(namesOf('visitor').includes('accounts_1h'));
  t.ok(namesOf('hardware').includes('accounts_1h') && namesOf('hardware').includes('devices_30d'));
});

t.test('does not know windows that reach before a loss, and knows the others', async (t) => {
  const state = createActivityState(NOW - 40 * DAY, 0);
  const measure = measureNumber('blocks');
  count(state, measure, NOW - 100);
  see(state, ...valueOfKind('devices'), NOW - 100, null);
  const at = (sinceSeconds: number) =>
    ['blocks_1m', 'blocks_10m', 'blocks_24h', 'devices_10m', 'devices_1h'].map((name) =>
      readOf(name, state, { sinceSeconds }),
    );
  t.same(at(0), [0, 1, 1, 1, 1]);
  t.same(at(NOW - 600), [0, 1, undefined, 1, undefined]);
  t.same(at(NOW - 599), [0, undefined, undefined, undefined, undefined]);
});

t.test('does not know since when, after a loss, unless it outlived it', async (t) => {
  const old = createActivityState(NOW - 40 * DAY, 0);
  see(old, ...valueOfKind('devices'), NOW - 20 * DAY, null);
  const young = createActivityState(NOW - 5 * DAY, 0);
  see(young, ...valueOfKind('devices'), NOW - 5 * DAY, null);
  const names = ['first_seen_seconds', 'device_first_seen_seconds'];
  const at = (state: ActivityState, sinceSeconds: number) =>
    names.map((name) => readOf(name, state, { sinceSeconds }));
  t.same(at(old, NOW - 10 * DAY), [40 * DAY, 20 * DAY]);
  t.same(at(young, NOW - 10 * DAY), [undefined, undefined]);
  t.same(at(young, NOW - 31 * DAY), [undefined, 5 * DAY], 'accounts are kept for 90 days');
  t.same(at(young, NOW - 91 * DAY), [5 * DAY, 5 * DAY]);
});

t.test('does not take what was first seen in the moment of a loss for older than that', async (t) => {
  const state = createActivityState(NOW - 5 * DAY, 0);
  see(state, ...valueOfKind('devices'), NOW - 5 * DAY, null);
  const names = ['first_seen_seconds', 'device_first_seen_seconds'];
  const at = (sinceSeconds: number) => names.map((name) => readOf(name, state, { sinceSeconds }));
  t.same(at(NOW - 5 * DAY + 1), [undefined, undefined], 'the one is rounded down, the other up');
  t.same(at(NOW - 5 * DAY + 2), [5 * DAY, 5 * DAY]);
});

t.test('knows what was accepted, and not what a loss may have taken', async (t) => {
  const state = createActivityState(NOW - 40 * DAY, 0);
  see(state, ...valueOfKind('devices'), NOW - DAY, 'accepted');
  see(state, ...valueOfKind('asns'), NOW - DAY, null);
  const since = { sinceSeconds: NOW - 10 * DAY };
  t.equal(readOf('known_device', state), true);
  t.equal(readOf('known_device', state, since), true);
  t.equal(readOf('known_asn', state), false);
  t.equal(readOf('known_asn', state, since), undefined);
  t.equal(readOf('known_country', state), false, 'never seen');
  t.equal(readOf('known_asn', state, { sinceSeconds: NOW - 31 * DAY }), false);
});

t.test('knows nothing of a value that the request lacks or may lack', async (t) => {
  const state = createActivityState(NOW, 0);
  for (const missing of [null, undefined]) {
    const own = SEEN_KINDS.map(() => missing);
    t.equal(readOf('known_country', state, { own }), undefined);
    t.equal(readOf('ip_first_seen_seconds', state, { own }), undefined);
    t.equal(readOf('countries_1h', state, { own }), missing === null ? 0 : undefined);
  }
});

t.test('takes a request without a device for one with a device that nobody knows', async (t) => {
  const state = createActivityState(NOW - DAY, 0);
  see(state, ...valueOfKind('devices'), NOW - DAY, 'accepted');
  const own = SEEN_KINDS.map((kind) => (kind === 'devices' ? null : OWN_NAME));
  t.equal(readOf('known_device', state, { own }), false);
  t.equal(readOf('device_first_seen_seconds', state, { own }), 0);
  t.equal(readOf('devices_7d', state, { own }), 1, 'it is counted with no others');
});

t.test('counts the value of this request once, kept or not', async (t) => {
  const state = createActivityState(NOW, 0);
  t.equal(readOf('countries_1h', state), 1);
  see(state, ...valueOfKind('countries', 7), NOW - 60, 'accepted');
  t.equal(readOf('countries_1h', state), 2);
  see(state, ...valueOfKind('countries'), NOW - 30, 'accepted');
  t.equal(readOf('countries_1h', state), 2);
  for (let number = 0; number < 80; number += 1) see(state, ...valueOfKind('asns', number + 1), NOW, null);
  t.equal(readOf('asns_1h', state), 64);
});

t.test('takes a clock that was set back for no time', async (t) => {
  const state = createActivityState(NOW + 50, 0);
  see(state, ...valueOfKind('devices'), NOW + 50, null);
  see(state, ...valueOfKind('devices'), NOW, null);
  t.equal(readOf('first_seen_seconds', state), 0);
  t.equal(readOf('device_first_seen_seconds', state), 0);
});

t.test('reads what is kept under two hash keys as one', async (t) => {
  const measures = [measureNumber('decisions'), measureNumber('fraud_labels')];
  const [old, young] = [createActivityState(NOW - 9, 0), createActivityState(NOW - 5, 0)];
  for (const measure of measures) for (const time of [9, 5]) count(old, measure, NOW - time);
  for (const measure of measures) count(young, measure, NOW - 5);
  see(old, ...valueOfKind('devices', 1), NOW - 9, null);
  see(old, ...valueOfKind('devices'), NOW - 9, null);
  see(young, ...valueOfKind('devices'), NOW - 5, null);
  const views = [young, old].map((state, keyPlace) => ({ ...viewOf(state), keyPlace }));
  const read = (name: string, lost = 0) =>
    signalOf(name).read(views.map((view, place) => (place === 0 ? { ...view, sinceSeconds: lost } : view)));
  t.equal(read('decisions_1h'), 2, 'each decision is under the older one');
  t.equal(read('fraud_labels_1h'), 3, 'each label is under one of them');
  t.equal(read('devices_1h'), 2);
  t.equal(read('first_seen_seconds'), 9);
  t.equal(read('device_first_seen_seconds'), 9);
  for (const name of ['decisions_1h', 'fraud_labels_1h', 'devices_1h', 'first_seen_seconds', 'known_device'])
    t.equal(read(name, NOW - 5), undefined, `${name} where something is missing under one of them`);
});

t.test('knows no value that was taken back under one of two hash keys', async (t) => {
  const states = [createActivityState(NOW, 0), createActivityState(NOW, 0)];
  const known = () =>
    signalOf('known_device').read(states.map((state, keyPlace) => ({ ...viewOf(state), keyPlace })));
  const [young, old] = states;
  if (young === undefined || old === undefined) throw new Error('two');
  t.equal(known(), false);
  see(old, ...valueOfKind('devices'), NOW - 50, 'accepted');
  t.equal(known(), true, 'from before the young key');
  see(young, ...valueOfKind('devices'), NOW - 40, 'revoked');
  t.equal(known(), false);
  for (const state of states) see(state, ...valueOfKind('devices'), NOW - 30, 'accepted');
  t.equal(known(), true);
  see(old, ...valueOfKind('devices'), NOW - 20, 'revoked');
  t.equal(known(), false);
});

t.test('begins anew after a loss of the whole memory where a rule reads what is remembered', async (t) => {
  const hardware = activitySignals('hardware', []);
  const readAll = (view: ActivityView) =>
    ['first_seen_seconds', 'remembered_seconds', 'devices_30d', 'devices_remembered'].map((name) =>
      hardware.find((each) => each.name === name)?.read([view]),
    );
  const state = createActivityState(NOW - 500, 0);
  see(state, ...valueOfKind('devices', 1), NOW - 500, null);
  t.same(readAll(viewOf(state)), [500, 500, 2, 2], 'as the others where nothing was lost');
  t.same(readAll({ ...viewOf(state), sinceSeconds: NOW - 600 }), [undefined, 500, undefined, 2]);
  const evicted = { ...createActivityState(NOW - 500, NOW - 600) };
  const view = { ...viewOf(evicted), sinceSeconds: NOW - 600 };
  t.same(readAll(view), [undefined, undefined, undefined, undefined], 'what is missing of it alone');
});

t.test('counts a label of hardware once, however many identifiers it has', async (t) => {
  const states = [createActivityState(NOW - 9, 0), createActivityState(NOW - 9, 0)];
  for (const state of states) count(state, measureNumber('fraud_labels'), NOW - 5);
  const views = states.map(viewOf);
  const signal = activitySignals('hardware', []).find(({ name }) => name === 'fraud_labels_1h');
  t.equal(signal?.read(views), 1);
  const [first, second] = views;
  if (first === undefined || second === undefined) throw new Error('two');
  const older = { ...first, keyPlace: 1 };
  t.equal(signal?.read([first, second, older]), 2, 'and once more under the hash key of another record');
});

t.test(
  'counts no label that was withdrawn, and takes none away for one that a window holds no more',
  async (t) => {
    const state = createActivityState(NOW - 5_000, 0);
    const labelled = (seconds: number) => count(state, measureNumber('fraud_labels'), NOW - seconds);
    const withdrawn = (seconds: number) =>
      count(state, measureNumber('fraud_labels_withdrawn'), NOW - seconds);
    labelled(3_000);
    labelled(60);
    t.equal(readOf('fraud_labels_1h', state), 2);
    withdrawn(60);
    t.equal(readOf('fraud_labels_1h', state), 1);
    withdrawn(3_500);
    t.equal(readOf('fraud_labels_1h', state), 1, 'its label may be in the window no longer');
    t.equal(readOf('fraud_labels_24h', state), 0);
    withdrawn(50);
    t.equal(readOf('fraud_labels_24h', state), 0, 'never less than none');
    t.equal(readOf('fraud_labels_1h', createActivityState(NOW, 0)), 0);
  },
);
