import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import type { DecisionLogReader } from '../../../src/application/decision-log/decision-log.ts';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import { type Change, createSupersede } from '../../../src/application/supersede/supersede.ts';
import type { LogRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { createMemoryDecisionLog } from '../../../src/stores/decision-log/memory/decision-log.ts';
import { createDecisionRecord, createGapRecord } from '../../support/decision-records.ts';
import { createManualClock } from '../../support/test-app.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
type Reader = Pick<DecisionLogReader, 'query'>;
type Subjects = readonly (readonly [device: string, agoMs: number])[];

/** `decided`: the devices of the decisions in the log, and how long ago each was. */
function open(
  decided: Subjects,
  changed: { readonly reader?: Reader; readonly record?: (event: RecordedEvent) => Promise<void> } = {},
) {
  const clock = createManualClock(Date.UTC(2027, 0, 1));
  const log = createMemoryDecisionLog({ clock, recordsMax: 1_000, countsKeptMs: HOUR_MS });
  const records = decided.map(([device, agoMs], serial) => {
    const subject = { telemetry: null, devices: [device], account: null, ip: null };
    return createDecisionRecord(clock.nowMs() - agoMs, serial, { subject, decision: 'ALLOW' });
  });
  log.append({ number: 1, records });
  const recorded: RecordedEvent[] = [];
  const told: { readonly type: string; readonly data: object }[] = [];
  const failed: string[] = [];
  const supersede = createSupersede({
    reader: log,
    record: async (event) => void recorded.push(event),
    ...changed,
    tell: (message) => void told.push(message),
    clock,
    formatTime: toRfc3339,
    onFailed: (why) => void failed.push(why),
  });
  return { supersede, clock, recorded, told, failed, ids: records.map((record) => record.decision_id) };
}

function changeOf(hash: string, changes: Partial<Change> = {}): Change {
  const by = { caller: 'analyst', requestId: 'r-1' };
  return { cause: 'list_changed', part: 'device', hashes: [hash], ...by, ...changes };
}

function revoke(hash: string): Change {
  return changeOf(hash, { cause: 'device_revoked', caller: '', requestId: null });
}

/** Until all that waits is done: the memory answers within a turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

/** A reader that keeps what it was asked, and answers with these records once it may. */
function createReader(records: readonly LogRecord[] = [], mayAnswer: Promise<unknown> = Promise.resolve()) {
  const asked: string[] = [];
  const query: Reader['query'] = async (filter) => {
    asked.push(...(filter.device ?? []));
    await mayAnswer;
    const entries = records.map((record, at) => ({ position: `${at}`, record, label: null }));
    return { entries, next: null };
  };
  return { asked, reader: { query } };
}

t.test('names the decisions of the subject, the latest first, in the log and outside', async (t) => {
  const { supersede, recorded, told, failed, ids } = open([
    ['d1', 3_000],
    ['d2', 2_000],
    ['old d1', 1_000],
  ]);
  t.equal(supersede(changeOf('d1', { hashes: ['d1', 'old d1'] })), undefined, 'without waiting');
  await settle();
  const decisions = [
    { decision_id: ids[2], decision: 'ALLOW' },
    { decision_id: ids[0], decision: 'ALLOW' },
  ];
  const what = { cause: 'list_changed', part: 'device', hash: 'd1', decisions };
  t.strictSame(told, [{ type: 'decision.superseded', data: what }], 'who asked is for the log alone');
  t.strictSame(recorded, [{ event: 'decision.superseded', caller: 'analyst', request_id: 'r-1', ...what }]);
  t.strictSame(failed, []);
});

t.test('tells nothing where no decision matches', async (t) => {
  const { supersede, recorded, told, failed } = open([
    ['d1', DAY_MS + 1],
    ['d2', DAY_MS],
  ]);
  for (const hash of ['d1', 'nobody']) supersede(changeOf(hash));
  supersede(changeOf('d2', { part: 'account' }));
  supersede(changeOf('', { hashes: [] }));
  await settle();
  t.strictSame([recorded, told, failed], [[], [], []], 'none, too old, or another part');
  supersede(changeOf('d2'));
  await settle();
  t.equal(told.length, 1, 'a decision of a day ago still counts');
});

t.test('names the latest hundred decisions', async (t) => {
  const decided = Array.from({ length: 101 }, (_, at) => ['d1', 101 - at] as const);
  const { supersede, told, ids } = open(decided);
  supersede(changeOf('d1'));
  await settle();
  const decisions = ids.slice(1).reverse();
  t.strictSame(
    told.map(({ data }) => data),
    [
      {
        cause: 'list_changed',
        part: 'device',
        hash: 'd1',
        decisions: decisions.map((decision_id) => ({ decision_id, decision: 'ALLOW' })),
      },
    ],
  );
});

t.test('names decisions alone', async (t) => {
  const decision = createDecisionRecord(0, 2);
  const { reader } = createReader([createGapRecord(0, 1), decision]);
  const { supersede, told } = open([], { reader });
  supersede(changeOf('d1'));
  await settle();
  const decisions = [{ decision_id: decision.decision_id, decision: decision.decision }];
  t.strictSame(told, [
    { type: 'decision.superseded', data: { cause: 'list_changed', part: 'device', hash: 'd1', decisions } },
  ]);
});

t.test('says that the decisions are not known where the log cannot be read', async (t) => {
  const reader: Reader = { query: () => Promise.reject(new RiskgateError('store_unavailable', 'away')) };
  const { supersede, recorded, told, failed } = open([], { reader });
  supersede(changeOf('d1'));
  supersede(changeOf('', { hashes: [] }));
  await settle();
  t.match(told, [{ data: { hash: 'd1', decisions: null } }, { data: { hash: '', decisions: null } }]);
  t.match(recorded, [{ decisions: null }, { decisions: null }]);
  t.strictSame(failed, []);
});

t.test('says so where it could not be recorded, and goes on', async (t) => {
  const record = () => Promise.reject(new RiskgateError('decision_log_unavailable', 'not kept'));
  const { supersede, told, failed } = open(
    [
      ['d1', 1],
      ['d2', 1],
    ],
    { record },
  );
  for (const hash of ['d1', 'd2']) supersede(changeOf(hash));
  await settle();
  t.match(told, [{ data: { hash: 'd1' } }, { data: { hash: 'd2' } }], 'those outside are told all the same');
  t.strictSame(failed, ['not_recorded', 'not_recorded']);
});

t.test('takes changes of one subject that wait together for one, the latest', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { asked, reader } = createReader([createDecisionRecord(0, 1)], promise);
  const { supersede, told } = open([], { reader });
  supersede(changeOf('first'));
  supersede(changeOf('d1'));
  supersede(changeOf('d2'));
  supersede(changeOf('d1', { cause: 'evidence_purged' }));
  supersede(changeOf('d1', { part: 'account' }));
  supersede(changeOf('first', { cause: 'evidence_purged' }));
  await settle();
  t.strictSame(asked, ['first'], 'one after the other');
  resolve();
  await settle();
  const said = told.map(({ data }) => data);
  t.match(said, [
    { cause: 'list_changed', part: 'device', hash: 'first' },
    { cause: 'evidence_purged', part: 'device', hash: 'd1' },
    { cause: 'list_changed', part: 'device', hash: 'd2' },
    { cause: 'list_changed', part: 'account', hash: 'd1' },
    { cause: 'evidence_purged', part: 'device', hash: 'first' },
  ]);
  t.equal(said.length, 5, 'what is being looked at does not wait any more');
  supersede(changeOf('d1'));
  await settle();
  t.equal(told.length, 6, 'a change after that is another');
});

t.test('passes over changes where a thousand wait', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { asked, reader } = createReader([], promise);
  const { supersede, failed } = open([], { reader });
  supersede(changeOf('first'));
  for (let at = 0; at < 1_000; at += 1) supersede(changeOf(`d${at}`));
  t.strictSame(failed, []);
  supersede(changeOf('d1000'));
  supersede(changeOf('d999', { cause: 'evidence_purged' }));
  t.strictSame(failed, ['too_many'], 'one of a subject that waits already takes no more room');
  resolve();
  await settle();
  t.equal(asked.length, 1_001);
  t.notOk(asked.includes('d1000'));
  supersede(changeOf('d1000'));
  await settle();
  t.equal(asked.at(-1), 'd1000', 'there is room again');
  t.equal(failed.length, 1);
});

t.test('tells of a revoked device once an hour', async (t) => {
  const { supersede, clock, told } = open([
    ['d1', 1],
    ['d2', 1],
  ]);
  const tell = async (change: Change): Promise<number> => {
    supersede(change);
    await settle();
    return told.length;
  };
  t.equal(await tell(revoke('d1')), 1);
  t.equal(await tell(revoke('d1')), 1);
  t.equal(await tell(revoke('d2')), 2, 'another device is told');
  t.equal(await tell(changeOf('d1')), 3, 'and another cause');
  clock.advance(HOUR_MS - 1);
  t.equal(await tell(revoke('d1')), 3);
  clock.advance(1);
  t.equal(await tell(revoke('d1')), 4, 'the hour is that of the time it was told');
  t.equal(await tell(revoke('d1')), 4);
});

t.test('remembers ten thousand revoked devices, and forgets the one told longest ago', async (t) => {
  const { asked, reader } = createReader();
  const { supersede, failed } = open([], { reader });
  for (let at = 0; at < 10_000; at += 1) {
    supersede(revoke(`d${at}`));
    if (at % 500 === 0) await nextTurn();
  }
  await settle();
  t.equal(asked.length, 10_000);
  const isTold = async (hash: string): Promise<boolean> => {
    const before = asked.length;
    supersede(revoke(hash));
    await settle();
    return asked.length > before;
  };
  t.equal(await isTold('d0'), false, 'all are remembered');
  t.equal(await isTold('d10000'), true, 'which makes the first forgotten');
  t.equal(await isTold('d1'), false);
  t.equal(await isTold('d0'), true);
  t.equal(await isTold('d2'), false);
  t.strictSame(failed, []);
});
