import t from 'tap';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import type { RecordHashes } from '../../../src/application/decision-log/to-decision-record.ts';
import type { PurgeTarget } from '../../../src/application/evidence/purge-evidence.ts';
import {
  supersedeByDecisions,
  supersedeByEvents,
  supersedeByOutcomes,
  supersedeByPurges,
} from '../../../src/application/supersede/causes.ts';
import type { Change } from '../../../src/application/supersede/supersede.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import type { ListEntryRecord } from '../../../src/domain/decision-log/event-record.ts';
import type { OutcomeLabel } from '../../../src/domain/decision-log/outcome-label.ts';
import type { DeviceIds } from '../../../src/domain/subject.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';

function hashesUnder(keyId: string): RecordHashes {
  const hash = (part: string) => (id: string) => `${keyId} ${part} ${id}`;
  return {
    keyId,
    telemetry: hash('t'),
    device: hash('d'),
    account: hash('a'),
    ip: hash('i'),
    network: hash('n'),
  };
}
const HASHES = [hashesUnder('new'), hashesUnder('old')] as const;

const BY = { caller: 'analyst', request_id: 'r-1' } as const;
const SAID_BY = { caller: 'analyst', requestId: 'r-1' } as const;
const NOBODY = { caller: '', requestId: null } as const;

/** Takes changes, and holds them in order. */
function listen() {
  const changes: Change[] = [];
  return { changes, supersede: (change: Change) => void changes.push(change) };
}

/** The changes that one event comes to. */
async function changesOf(event: RecordedEvent): Promise<readonly Change[]> {
  const { changes, supersede } = listen();
  await supersedeByEvents(async () => {}, supersede)(event);
  return changes;
}

function entryOf(part: ListEntryRecord['part'], value: string, hash_key: string | null): ListEntryRecord {
  const added = { added_at: '2027-01-01T00:00:00.000Z', added_by: 'analyst' };
  return { id: `${part}-${value}`, part, value, hash_key, ...added, expires_at: null, note: null };
}

function listChanged(entries: readonly ListEntryRecord[]): RecordedEvent {
  return { event: 'list_changed', ...BY, list: 'blocked', change: 'put', entries };
}

t.test('a change of a list supersedes by the hash of each entry', async (t) => {
  const entries = [
    entryOf('device', 'd1', 'k1'),
    entryOf('account', 'a1', 'k1'),
    entryOf('telemetry', 't1', 'k1'),
    entryOf('ip', 'i1', 'k1'),
  ];
  t.strictSame(await changesOf(listChanged(entries)), [
    { cause: 'list_changed', part: 'device', hashes: ['d1'], ...SAID_BY },
    { cause: 'list_changed', part: 'account', hashes: ['a1'], ...SAID_BY },
    { cause: 'list_changed', part: 'telemetry', hashes: ['t1'], ...SAID_BY },
    { cause: 'list_changed', part: 'ip', hashes: ['i1'], ...SAID_BY },
  ]);
});

t.test('a network, an autonomous system and a country on a list supersede nothing', async (t) => {
  const entries = [
    entryOf('ip', '203.0.113.0/24', null),
    entryOf('asn', '64500', null),
    entryOf('country', 'AU', null),
    entryOf('asn', '64501', 'k1'),
    entryOf('country', 'NZ', 'k1'),
    entryOf('device', 'd1', 'k1'),
  ];
  t.strictSame(
    (await changesOf(listChanged(entries))).map(({ part, hashes }) => [part, hashes]),
    [['device', ['d1']]],
    'the one entry after them does',
  );
});

t.test('of an import of a list the first hundred entries are looked at', async (t) => {
  const entries = Array.from({ length: 101 }, (_, at) => entryOf('device', `d${at}`, 'k1'));
  const hashes = (await changesOf(listChanged(entries))).flatMap((change) => change.hashes);
  t.equal(hashes.length, 100);
  t.equal(hashes[0], 'd0');
  t.equal(hashes.at(-1), 'd99');
});

t.test('a forgotten subject supersedes by each part that was named', async (t) => {
  const forgotten = { custody: 1 };
  const all = { hash_key: 'k1', telemetry: 't1', device: 'd1', account: 'a1' };
  t.strictSame(await changesOf({ event: 'subject_forgotten', ...BY, subject: all, forgotten }), [
    { cause: 'subject_forgotten', part: 'telemetry', hashes: ['t1'], ...SAID_BY },
    { cause: 'subject_forgotten', part: 'device', hashes: ['d1'], ...SAID_BY },
    { cause: 'subject_forgotten', part: 'account', hashes: ['a1'], ...SAID_BY },
  ]);
  const none = { hash_key: 'k1', telemetry: null, device: null, account: null };
  t.strictSame(await changesOf({ event: 'subject_forgotten', ...BY, subject: none, forgotten }), []);
});

t.test('a shared signal supersedes by the subject that it tells of', async (t) => {
  const event: RecordedEvent = {
    event: 'shared_signal',
    ...BY,
    stream: 'idp',
    signal: 'session_revoked',
    state: 'begun',
    happened_at: '2027-01-01T00:00:00.000Z',
    subject: { hash_key: 'k1', telemetry: null, device: null, account: 'a1' },
  };
  t.strictSame(await changesOf(event), [
    { cause: 'shared_signal', part: 'account', hashes: ['a1'], ...SAID_BY },
  ]);
});

t.test('a candidate and what was superseded supersede nothing, and are recorded', async (t) => {
  const recorded: RecordedEvent[] = [];
  const { changes, supersede } = listen();
  const record = supersedeByEvents(async (event) => void recorded.push(event), supersede);
  const policy = { id: 'next', hash: 'sha256:2' };
  const events: readonly RecordedEvent[] = [
    { event: 'candidate_changed', ...BY, change: 'put', policy, replaced: null },
    {
      event: 'decision.superseded',
      ...BY,
      cause: 'list_changed',
      part: 'device',
      hash: 'd1',
      decisions: null,
    },
  ];
  for (const event of events) await record(event);
  t.strictSame(recorded, events);
  t.strictSame(changes, []);
});

t.test('what could not be recorded is refused as before, and supersedes nothing', async (t) => {
  const { changes, supersede } = listen();
  const refusal = new Error('not kept');
  const record = supersedeByEvents(() => Promise.reject(refusal), supersede);
  await t.rejects(record(listChanged([entryOf('device', 'd1', 'k1')])), refusal);
  t.strictSame(changes, []);
});

t.test('a purge supersedes by each id, under every known key', async (t) => {
  const { changes, supersede } = listen();
  const report = { providers: ['stytch'], isComplete: false };
  const purged: PurgeTarget[] = [];
  const inner = async (target: PurgeTarget) => {
    t.equal(changes.length, 0, 'after the purge');
    purged.push(target);
    return report;
  };
  const purge = supersedeByPurges(inner, HASHES, supersede);
  const target = { telemetry_id: 'one', device_id: 'two', account_id: 'three', ip: '203.0.113.7' };
  t.equal(await purge(target), report, 'the report is that of the purge');
  t.strictSame(purged, [target]);
  t.strictSame(changes, [
    { cause: 'evidence_purged', part: 'telemetry', hashes: ['new t one', 'old t one'], ...NOBODY },
    { cause: 'evidence_purged', part: 'device', hashes: ['new d two', 'old d two'], ...NOBODY },
    { cause: 'evidence_purged', part: 'account', hashes: ['new a three', 'old a three'], ...NOBODY },
    { cause: 'evidence_purged', part: 'ip', hashes: ['new i 203.0.113.7', 'old i 203.0.113.7'], ...NOBODY },
  ]);
});

t.test('a purge of an address is one of its canonical spelling', async (t) => {
  const { changes, supersede } = listen();
  const report = { providers: [], isComplete: true };
  await supersedeByPurges(async () => report, HASHES, supersede)({ ip: ' [2001:DB8:0::1] ' });
  t.match(changes, [{ part: 'ip', hashes: ['new i 2001:db8::1', 'old i 2001:db8::1'] }]);
});

t.test('a purge supersedes by no part that was not named, and by none that failed', async (t) => {
  const report = { providers: [], isComplete: true };
  for (const [target, part] of [
    [{ telemetry_id: 'one' }, 'telemetry'],
    [{ device_id: 'one', telemetry_id: '' }, 'device'],
    [{ account_id: 'one', ip: undefined }, 'account'],
    [{ ip: '203.0.113.7' }, 'ip'],
  ] as const) {
    const { changes, supersede } = listen();
    await supersedeByPurges(async () => report, HASHES, supersede)(target);
    t.strictSame(
      changes.map((change) => change.part),
      [part],
    );
  }
  const { changes, supersede } = listen();
  const failing = supersedeByPurges(() => Promise.reject(new Error('away')), HASHES, supersede);
  await t.rejects(failing({ device_id: 'one' }), { message: 'away' });
  t.strictSame(changes, []);
});

/** The changes that a label comes to. */
async function labelled(
  label: OutcomeLabel['label'],
  isNew: boolean,
  subject: DecisionRecord['subject'],
  before: readonly OutcomeLabel['label'][] = [],
): Promise<readonly Change[]> {
  const { changes, supersede } = listen();
  const record = createDecisionRecord(0, 1, { subject });
  const said = (one: OutcomeLabel['label']) => ({ label: one, at: '', note: null, caller: 'c' });
  const labels = [...before, label].map(said);
  const told = { record, label, labels, atMs: 0, isNew, method: null, acr: null };
  t.equal(await supersedeByOutcomes(supersede)(told), true, 'never holds an outcome up');
  return changes;
}

t.test('a new label of fraud supersedes by all of whom the decision was', async (t) => {
  const subject = { telemetry: 't1', devices: ['d1', 'd2'], account: 'a1', ip: 'i1' };
  t.strictSame(await labelled('fraud', true, subject), [
    { cause: 'labelled_fraud', part: 'telemetry', hashes: ['t1'], ...NOBODY },
    { cause: 'labelled_fraud', part: 'account', hashes: ['a1'], ...NOBODY },
    { cause: 'labelled_fraud', part: 'device', hashes: ['d1'], ...NOBODY },
    { cause: 'labelled_fraud', part: 'device', hashes: ['d2'], ...NOBODY },
  ]);
  const bare = { telemetry: null, devices: [], account: null, ip: 'i1' };
  t.strictSame(await labelled('fraud', true, bare), [], 'an address is not who it was');
});

t.test('taking a label of fraud back supersedes likewise', async (t) => {
  const subject = { telemetry: null, devices: [], account: 'a1', ip: null };
  t.strictSame(await labelled('withdrawn', true, subject, ['fraud']), [
    { cause: 'fraud_withdrawn', part: 'account', hashes: ['a1'], ...NOBODY },
  ]);
  t.strictSame(await labelled('withdrawn', false, subject, ['fraud']), []);
  t.strictSame(await labelled('withdrawn', true, subject, ['legit']), []);
});

t.test('a repeated label of fraud, and any other, supersede nothing', async (t) => {
  const subject = { telemetry: 't1', devices: ['d1'], account: 'a1', ip: null };
  t.strictSame(await labelled('fraud', false, subject), []);
  t.strictSame(await labelled('legit', true, subject), []);
  t.strictSame(await labelled('challenge_failed', true, subject), []);
});

/** The changes that a decision comes to, whose providers said these signals. */
function decided(signals: readonly (object | null)[], device: DeviceIds): readonly Change[] {
  const { changes, supersede } = listen();
  const evidence = signals.map((said) => ({ signals: said }));
  const decision = { evidence } as unknown as Decision;
  supersedeByDecisions(HASHES[0], supersede)(decision, { telemetryId: 'one', device, accountId: 'three' });
  return changes;
}

t.test('a device that a provider calls revoked supersedes by each device that was named', async (t) => {
  const revoked = [null, { found: true, status: 'active' }, { found: true, status: 'revoked' }];
  t.strictSame(decided(revoked, { kind: 'shared', id: 'two' }), [
    { cause: 'device_revoked', part: 'device', hashes: ['new d two'], ...NOBODY },
  ]);
  const ids = new Map([
    ['mobilerun', 'two'],
    ['other', 'four'],
  ]);
  t.strictSame(
    decided(revoked, { kind: 'named', ids }).map(({ hashes }) => hashes),
    [['new d two'], ['new d four']],
  );
  t.strictSame(decided(revoked, { kind: 'shared', id: null }), [], 'without a device there is none');
});

t.test('a device that no provider calls revoked supersedes nothing', async (t) => {
  const device = { kind: 'shared', id: 'two' } as const;
  t.strictSame(decided([], device), []);
  t.strictSame(decided([null, { found: false }, { found: true, status: 'active' }], device), []);
});
