import { hash } from 'node:crypto';
import t from 'tap';
import type { ActivityChange, ActivityStore } from '../../../src/application/activity/activity-store.ts';
import { createClaims } from '../../../src/application/activity/claims.ts';
import { createActivityForgetting } from '../../../src/application/activity/forget-activity.ts';
import { createReportEvents } from '../../../src/application/activity/report-events.ts';
import type { ActivityHashes } from '../../../src/application/activity/subject-names.ts';
import { nameOfHash } from '../../../src/domain/activity/seen-name.ts';
import type { RiskgateError } from '../../../src/domain/errors.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { createMemoryActivityStore } from '../../../src/stores/activity/memory-store.ts';
import { createManualClock } from '../../support/test-app.ts';

const BY = { caller: 'reviewer', requestId: null };

/** Hashes of 32 hex digits. */
function hashesOf(keyId: string): ActivityHashes {
  const hashAs = (part: string) => (id: string) => hash('sha256', `${keyId} ${part} ${id}`).slice(0, 32);
  return {
    keyId,
    telemetry: hashAs('telemetry'),
    device: hashAs('device'),
    account: hashAs('account'),
    network: hashAs('network'),
  };
}

const SUBJECT: Subject = {
  telemetryId: 't1',
  device: {
    kind: 'named',
    ids: new Map([
      ['mobilerun', null],
      ['prefactor', 'd1'],
    ]),
  },
  accountId: 'a1',
  ip: '203.0.113.7',
};
const NOBODY: Subject = { telemetryId: 't1', device: { kind: 'named', ids: new Map() } };

function open(changes: Partial<ActivityStore> = {}, keyIds: readonly [string, ...string[]] = ['k1']) {
  const memory = createMemoryActivityStore({ clock: createManualClock() });
  const added: ActivityChange[] = [];
  const unclaimed: string[] = [];
  const store: ActivityStore = {
    ...memory,
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
      return memory.addNow(all);
    },
    ...changes,
  };
  const claims = createClaims(
    store,
    keyIds.map((keyId) => (text) => (keyIds.length > 1 ? `${keyId}:${text}` : text)),
  );
  const report = createReportEvents({
    store,
    claims,
    hashes: [hashesOf(keyIds[0]), ...keyIds.slice(1).map(hashesOf)],
    policy: () => ({ document: { events: ['coupon_used'] } }) as unknown as CompiledPolicy,
  });
  return { report, added, unclaimed, memory };
}

t.test('counts an event for every part that it names, with all values', async (t) => {
  const { report, added } = open();
  const events = [{ id: '1', event: 'login_succeeded', subject: SUBJECT }];
  t.same(await report(events, 'shop'), { counted: 1, repeated: 0 });
  const under = hashesOf('k1');
  const seen = [
    nameOfHash(under.account('a1')),
    nameOfHash(under.device('d1')),
    nameOfHash(under.network('203.0.113.7')),
    nameOfHash(under.telemetry('t1')),
  ];
  t.same(
    added.map(({ entity, values, acceptance, measures }) => [
      entity.part,
      values.filter((name) => name !== null),
      acceptance,
      measures,
    ]),
    [
      ['account', seen, 'accepted', [7]],
      ['device', seen, 'accepted', [7]],
      ['ip', seen, 'accepted', [7]],
    ],
  );
});

t.test('keeps it under every hash key, and accepts nobody for a failure', async (t) => {
  const { report, added } = open({}, ['k1', 'k2']);
  await report([{ id: '1', event: 'login_failed', subject: SUBJECT }], 'shop');
  const accounts = added.filter(({ entity }) => entity.part === 'account').map(({ entity }) => entity.hash);
  t.same(accounts, [hashesOf('k1').account('a1'), hashesOf('k2').account('a1')]);
  t.notOk(added.some(({ acceptance }) => acceptance !== null));
});

t.test('counts an id once for each caller', async (t) => {
  const { report } = open();
  const events = [{ id: '1', event: 'coupon_used', subject: SUBJECT }];
  t.same(await report([...events, ...events], 'shop'), { counted: 1, repeated: 1 });
  t.same(await report(events, 'shop'), { counted: 0, repeated: 1 });
  t.same(await report(events, 'other'), { counted: 1, repeated: 0 });
});

t.test('refuses an event that no policy knows, and one that names nobody', async (t) => {
  const { report, added } = open();
  const events = [
    { id: '1', event: 'payment', subject: SUBJECT },
    { id: '2', event: 'unheard', subject: NOBODY },
  ];
  const refusal = await report(events, 'shop').then(
    () => null,
    (error: unknown) => error as RiskgateError,
  );
  t.equal(refusal?.code, 'invalid_request');
  t.match(refusal?.fields, [
    { pointer: '/events/1/event', detail: /must be one of login_failed, .*, coupon_used; a policy/ },
    { pointer: '/events/1', detail: /must have an account_id/ },
  ]);
  t.same(added, [], 'nothing of the batch is counted');
});

t.test('lets events be told again that could not be kept', async (t) => {
  const events = [{ id: '1', event: 'payment', subject: SUBJECT }];
  const lost = open({ claim: () => null });
  await t.rejects(lost.report(events, 'shop'), { code: 'store_unavailable' });
  const full = open({ addNow: () => false });
  await t.rejects(full.report(events, 'shop'), { code: 'store_unavailable' });
  t.same(full.unclaimed, ['["shop","1"]']);
  const both = [{ id: '2', event: 'payment', subject: SUBJECT }, ...events];
  const half = open({ claim: () => ['new', 'open'] });
  await t.rejects(
    half.report(both, 'shop'),
    { code: 'store_unavailable' },
    'whoever counts it now may fail to',
  );
  t.equal(half.added.length, 3, 'what nobody else counts is counted');
  t.same(half.unclaimed, []);
});

t.test('forgets the activity of devices and accounts', async (t) => {
  const store = createMemoryActivityStore({ clock: createManualClock() });
  const entity = { part: 'device', hash: 'd'.repeat(32) } as const;
  store.take({ entity, values: [], acceptance: null, measures: [] });
  const { memory, forget } = createActivityForgetting(store);
  const target = { id: 'x', hashes: [entity.hash, 'e'.repeat(32)] };
  t.equal(memory, 'activity');
  t.same(await forget([{ part: 'telemetry', ...target }], BY), { removed: 0, isComplete: true });
  t.same(await forget([{ part: 'device', ...target }], BY), { removed: 1, isComplete: true });
  t.same(await createActivityForgetting({ forget: () => null }).forget([], BY), {
    removed: null,
    isComplete: false,
  });
});
