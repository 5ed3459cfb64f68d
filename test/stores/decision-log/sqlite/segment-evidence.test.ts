import { hash as digest } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { type DecisionRecord, idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import { toKeyNumber } from '../../../../src/stores/decision-log/sqlite/evidence-key.ts';
import { HistoryReader } from '../../../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { evidenceSaltOf } from '../../../../src/stores/decision-log/sqlite/segment-file.ts';
import { compactHistory, verifyHistory } from '../../../../src/stores/decision-log/sqlite/upkeep.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { createDirectory } from '../../../support/test-app.ts';

const NOON_MS = Date.parse('2026-03-10T12:00:00Z');
const DAY_MS = 86_400_000;
const SEGMENT = '20260310-0001.sqlite';
const RETENTION = { retentionMs: 90 * DAY_MS, labelledKeptMs: 0, bytesMax: 2 ** 30 };

/** A decision whose evidence is that of a person, seen so long ago. */
function decisionOf(person: number, serial: number): DecisionRecord {
  const record = createDecisionRecord(NOON_MS + serial, serial);
  const [prefactor, stytch] = [record.providers['prefactor'], record.providers['stytch']];
  if (prefactor === undefined || stytch === undefined) throw new Error('the record has both');
  const hash = person.toString(16).padStart(32, '0');
  const signals = {
    found: true,
    asn: person,
    visitor_hash: hash,
    reasons: ['A'],
    seen: { age_seconds: serial },
  };
  const subject = { ...record.subject, devices: [hash], visitor: hash };
  return { ...record, subject, providers: { stytch, prefactor: { ...prefactor, signals } } };
}

/** What appends records to a directory as a process of its own does, and ends. */
function appendTo(directory: string, records: readonly DecisionRecord[], number: number): void {
  const writer = new HistoryWriter({ directory, isSynced: false, ...RETENTION });
  const texts = records.map((record) => JSON.stringify(record));
  writer.append({ writer: `process-${number}`, number, texts }, NOON_MS);
  writer.close();
}

function openReader(t: Pick<Test, 'teardown'>, directory: string): HistoryReader {
  const reader = new HistoryReader(directory);
  t.teardown(() => reader.close());
  return reader;
}

function changeFile(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, SEGMENT));
  db.exec(sql);
  db.close();
}

function count(directory: string, table: string): number {
  const db = new DatabaseSync(join(directory, SEGMENT), { readOnly: true });
  const row = db.prepare(`SELECT count(*) AS count FROM ${table}`).get();
  db.close();
  return Number(row?.['count']);
}

t.test('keeps equal evidence once, whatever its ages and whichever process appends it', async (t) => {
  const directory = createDirectory(t);
  const records = Array.from({ length: 600 }, (_, serial) => decisionOf(serial % 3, serial));
  appendTo(directory, records.slice(0, 400), 1);
  appendTo(directory, records.slice(400), 2);
  t.equal(count(directory, 'evidence'), 3);
  t.equal(count(directory, 'forms'), 1);
  const found = openReader(t, directory).readAfter(null, 1000).entries;
  t.same(
    found.map(({ text }) => text),
    records.map((record) => JSON.stringify(record)),
    'and every record has all of it',
  );
});

/**
 * Names of two networks, found by 4,400,000,000 hashes. In a file without a salt, evidence that says one of them and
 * no other number or hash has the key of evidence that says the other.
 */
const COLLIDING = ['29f2ae6eb0fbfa64', 'c5e278e11ad08278'] as const;
const keyWithoutSalt = (network: string) => toKeyNumber(digest('sha256', `1 ["${network}"] `));

t.test('keeps apart evidence whose keys somebody has made the same for files without a salt', async (t) => {
  const [one, other] = COLLIDING;
  t.equal(keyWithoutSalt(one), keyWithoutSalt(other));
  const records = COLLIDING.map((network, serial): DecisionRecord => {
    const record = createDecisionRecord(NOON_MS + serial, serial);
    const { prefactor } = record.providers;
    if (prefactor === undefined) throw new Error('the record has it');
    return { ...record, providers: { prefactor: { ...prefactor, signals: { found: true, network } } } };
  });
  const directory = createDirectory(t);
  const dataDirectory = join(directory, 'history');
  mkdirSync(dataDirectory);
  appendTo(dataDirectory, records.slice(0, 1), 1);
  appendTo(dataDirectory, records.slice(1), 2);
  const found = openReader(t, dataDirectory).readAfter(null, 10).entries;
  t.same(
    found.map(({ text }) => text),
    records.map((record) => JSON.stringify(record)),
    'each record shows its own',
  );
  t.same(
    [...verifyHistory(directory, false)].flatMap((file) => file.problems),
    [],
  );
});

t.test('salts the keys of each file otherwise, and verifies and compacts it with its own salt', async (t) => {
  const directory = createDirectory(t);
  const dataDirectory = join(directory, 'history');
  mkdirSync(dataDirectory);
  const record = decisionOf(1, 1);
  for (const day of [0, 1, 2]) {
    const writer = new HistoryWriter({ directory: dataDirectory, isSynced: false, ...RETENTION });
    const text = JSON.stringify({ ...record, decision_id: idOf(decisionOf(1, day)) });
    writer.append({ writer: `process-${day}`, number: 1, texts: [text] }, NOON_MS + day * DAY_MS);
    writer.close();
  }
  const keys = () =>
    readdirSync(dataDirectory)
      .filter((name) => name.endsWith('.sqlite') && name.startsWith('2026'))
      .map((name) => {
        const db = new DatabaseSync(join(dataDirectory, name), { readOnly: true });
        const rows = db.prepare('SELECT CAST(key AS TEXT) AS key FROM evidence_keys ORDER BY id').all();
        db.close();
        return rows.map(({ key }) => String(key)).join();
      });
  const before = keys();
  t.equal(new Set(before).size, 3, 'the same evidence has another key in each file');
  for (const { problem, bytesBefore, bytesAfter } of compactHistory(directory)) {
    t.equal(problem, null);
    t.ok(bytesAfter < bytesBefore, 'it is another file');
  }
  t.same(keys(), before, 'which it keeps when the file is written again');
  t.same(
    [...verifyHistory(directory, false)].flatMap((file) => file.problems),
    [],
  );
});

t.test('finds records by hashes of which the first bytes are the same', async (t) => {
  const directory = createDirectory(t);
  // They differ in their last digit alone.
  appendTo(directory, [decisionOf(1, 1), decisionOf(2, 2), decisionOf(1, 3)], 1);
  const reader = openReader(t, directory);
  const found = reader.query({ visitor: [`${'0'.repeat(31)}1`] }, { before: null, limit: 10 });
  t.same(
    found.entries.map(({ text }) => idOf(JSON.parse(text) as DecisionRecord)),
    [decisionOf(1, 3), decisionOf(1, 1)].map(idOf),
  );
});

t.test('verifies evidence that an earlier version took apart in another way', async (t) => {
  const directory = createDirectory(t);
  const dataDirectory = join(directory, 'history');
  mkdirSync(dataDirectory);
  appendTo(dataDirectory, [decisionOf(1, 1), decisionOf(2, 2)], 1);
  const problems = () => [...verifyHistory(directory, false)].flatMap((file) => file.problems);
  t.same(problems(), []);
  const db = new DatabaseSync(join(dataDirectory, SEGMENT));
  t.teardown(() => db.close());
  const find = db.prepare(
    'SELECT evidence.id, text, numbers, hashes FROM evidence JOIN forms ON forms.id = form WHERE numbers = ?',
  );
  const { id, text, numbers, hashes } = find.get('[2]') ?? {};
  const digits = Buffer.from(hashes as Uint8Array).toString('hex');
  const form = String(text).replace('"\\u0000n"', '2');
  t.not(form, text);
  const salt = evidenceSaltOf(db);
  t.match(salt, /^[\da-f]{32}$/);
  const keyOf = (content: string) => digest('sha256', salt + content);
  const formKey = Buffer.from(digest('sha256', form).slice(0, 32), 'hex');
  db.prepare('INSERT INTO forms (id, key, text) VALUES (99, ?, ?)').run(formKey, form);
  db.prepare(`UPDATE evidence SET form = 99, numbers = '[]' WHERE id = ?`).run(Number(id));
  const change = (content: string) =>
    db
      .prepare('UPDATE evidence_keys SET key = ? WHERE id = ?')
      .run(BigInt.asIntN(64, BigInt(`0x${keyOf(content).slice(0, 16)}`)), Number(id));
  change(`99 [] ${digits}`);
  t.same(problems(), [], `instead of ${String(numbers)}`);
  change(`99 [3] ${digits}`);
  t.same(problems(), ['evidence: 1 pieces or forms are not what they were']);
  change(`99 [] ${digits}`);
  db.prepare('UPDATE forms SET text = ? WHERE id = 99').run(form.replace('"A"', '"B"'));
  t.ok(problems().includes('evidence: 1 pieces or forms are not what they were'));
});

t.test('keeps much evidence in blocks, and goes on with what fills none', async (t) => {
  const directory = createDirectory(t);
  const records = Array.from({ length: 700 }, (_, serial) => decisionOf(serial, serial));
  appendTo(directory, records.slice(0, 600), 1);
  t.equal(count(directory, 'evidence_blocks'), 2);
  t.equal(count(directory, 'evidence'), 600 - 2 * 256);
  const reader = openReader(t, directory);
  const read = () => reader.readAfter(null, 1000).entries.map(({ text }) => text);
  t.same(
    read(),
    records.slice(0, 600).map((record) => JSON.stringify(record)),
  );
  // Each has the evidence of another one before it.
  const others = records.map((_, serial) => decisionOf(699 - serial, 1000 + serial));
  appendTo(directory, [...records.slice(600), ...others], 2);
  t.equal(count(directory, 'evidence_keys'), 700);
  t.same(
    read(),
    [...records, ...others].slice(0, 1000).map((record) => JSON.stringify(record)),
    'also what has gone into a block while it was open',
  );
  t.equal(reader.find(idOf(decisionOf(0, 1699)))?.text, JSON.stringify(decisionOf(0, 1699)));
});

t.test('fails a read of a record whose evidence is gone, and of no other', async (t) => {
  const directory = createDirectory(t);
  const [whole, other] = [decisionOf(1, 1), decisionOf(2, 2)];
  appendTo(directory, [whole, other], 1);
  changeFile(directory, 'DELETE FROM evidence WHERE id = 2');
  const reader = openReader(t, directory);
  t.equal(reader.find(idOf(whole))?.text, JSON.stringify(whole));
  t.throws(() => reader.find(idOf(other)), { code: 'DAMAGED' });
});
