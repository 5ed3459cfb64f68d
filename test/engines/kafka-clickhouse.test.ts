import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DecisionRecord, LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { startClickHouse } from '../support/clickhouse.ts';
import { createGapRecord } from '../support/decision-records.ts';
import { startKafkaServer } from '../support/kafka-server.ts';
import { readTopic } from '../support/read-topic.ts';
import { ROOT } from '../support/start-program.ts';
import {
  askForDecision,
  createServiceEnvironment,
  patienceOf,
  startService,
} from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators, until } from '../support/test-app.ts';

const TOPIC = 'riskgate.decisions';
/** Of several verdicts and subjects; some of them are asked more than once. */
const SUBJECTS = [
  { telemetry_id: 'allow-1', device_id: 'active', account_id: 'one' },
  { telemetry_id: 'allow-2', device_id: 'active', account_id: 'two' },
  { telemetry_id: 'allow-2', device_id: 'never-seen', account_id: 'thief' },
  { telemetry_id: 'block', device_id: 'active', account_id: 'one' },
  { telemetry_id: 'fault-slow-1-x', device_id: 'revoked' },
  { telemetry_id: 'fault-flaky-9-y', device_id: 'active', action: 'payout' },
];
const ROUNDS = 5;

/** The statements of the page: those that make tables, those that count, and questions. */
const [TABLES = [], COUNTS = [], QUESTIONS = []] = [
  ...readFileSync(join(ROOT, 'docs/kafka.md'), 'utf8').matchAll(/^```sql\n([\s\S]*?)^```$/gm),
].map(([, block = '']) => block.split(/;\n/).filter((text) => text.trim() !== ''));
const INPUT = /ENGINE = Kafka\nSETTINGS[\s\S]*$/;

/** What the service writes when it is asked, as it stands in the topic. */
async function fillTopic(): Promise<readonly DecisionRecord[]> {
  const emulators = await startEmulators(t);
  const server = await startKafkaServer(t);
  await server.createTopic(TOPIC, { partitions: 3 });
  const service = await startService(t, {
    ...createServiceEnvironment(t, `http://127.0.0.1:${portOf(emulators.app.server.address())}`),
    ...patienceOf(10_000),
    DECISION_LOG: 'kafka',
    KAFKA_BROKERS: server.brokers,
  });
  for (let round = 0; round < ROUNDS; round += 1)
    for (const subject of SUBJECTS) await askForDecision(service.origin, subject);
  // The revoked device is told beside its decisions, as what it supersedes.
  const read = async () =>
    (await readTopic(server.brokers, TOPIC))
      .map(({ value }) => JSON.parse(value) as LogRecord)
      .filter((record): record is DecisionRecord => record.kind === 'decision');
  await until('all records are there', async () => (await read()).length === ROUNDS * SUBJECTS.length);
  return read();
}

const records = await fillTopic();
const gap = createGapRecord(Date.now(), 1);
const directory = createDirectory(t);
const clickhouse = await startClickHouse(t, join(directory, 'data'));

/** The statement of the page that begins with a comment, and what the engine answers. */
async function answerTo(comment: string, params: Readonly<Record<string, string>> = {}) {
  const question = QUESTIONS.find((text) => text.trim().startsWith(`-- ${comment}`));
  if (question === undefined) throw new Error(`the page asks nothing that begins with: ${comment}`);
  return clickhouse.query(question, params);
}

/** Puts records where the messages of the topic would come from, in the format that the page names. */
async function insert(all: readonly LogRecord[]): Promise<void> {
  const path = join(directory, 'messages.ndjson');
  writeFileSync(path, all.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await clickhouse.query('INSERT INTO riskgate.topic SELECT * FROM file({path:String}, JSONAsString)', {
    path,
  });
}

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const groups = Map.groupBy(names, (name) => name);
  return Object.fromEntries([...groups].map(([name, group]) => [name, group.length]));
}

t.test('makes every table and view of the page', async (t) => {
  t.ok(TABLES.length >= 5 && COUNTS.length >= 6 && QUESTIONS.length >= 6, 'the page has them');
  for (const statement of [...TABLES, ...COUNTS]) {
    if (INPUT.test(statement)) {
      const misspelt = statement.replace('kafka_format', 'kafka_fromat');
      await t.rejects(clickhouse.query(misspelt), /Unknown setting/);
      // The engine has read all of it and made the table, and lacks the threads of a server to read the topic.
      await t.rejects(clickhouse.query(statement), /Shutdown was called/);
      await clickhouse.query('DROP TABLE riskgate.topic');
    }
    await t.resolves(clickhouse.query(statement.replace(INPUT, 'ENGINE = Null')), statement.slice(0, 60));
  }
  const named = await clickhouse.query("SELECT name FROM system.tables WHERE database = 'riskgate'");
  t.ok(named.length >= TABLES.length + COUNTS.length - 1);
});

t.test('answers what the page asks, as the records say', async (t) => {
  await insert([...records, gap]);
  const decisions = countBy(records.map(({ decision }) => decision));
  t.ok(Object.keys(decisions).length > 1, `the service decided ${JSON.stringify(decisions)}`);
  const share = (verdict: string) =>
    Math.round(10_000 * ((decisions[verdict] ?? 0) / records.length)) / 10_000;
  t.match(await answerTo('Verdicts by day'), [
    { total: records.length, challenged: share('CHALLENGE'), blocked: share('BLOCK') },
  ]);

  const fired = countBy(
    records.flatMap(({ rules }) => rules.filter(({ result }) => result === 'true').map(({ rule }) => rule)),
  );
  const unknown = countBy(
    records.flatMap(({ rules }) =>
      rules.filter(({ result }) => result === 'unknown').map(({ rule }) => rule),
    ),
  );
  const rules = await answerTo('Which rules decide');
  t.strictSame(
    new Map(rules.map((row) => [row['rule'], [row['fired'], row['unknown']]])),
    new Map(
      [...new Set([...Object.keys(fired), ...Object.keys(unknown)])].map((rule) => [
        rule,
        [fired[rule] ?? 0, unknown[rule] ?? 0],
      ]),
    ),
  );

  const reasons = countBy(records.flatMap((record) => record.reasons.map(({ code }) => code)));
  const byReason = await answerTo('Reasons by verdict');
  const sums: Record<string, number> = {};
  for (const row of byReason)
    sums[String(row['reason'])] = (sums[String(row['reason'])] ?? 0) + Number(row['decisions']);
  t.strictSame(new Map(Object.entries(sums)), new Map(Object.entries(reasons)));
  t.ok(
    byReason.some(({ country }) => country !== ''),
    'signals are columns',
  );

  const outcomes = await answerTo('How providers answered');
  t.equal(
    outcomes.reduce((sum, row) => sum + Number(row['decisions']), 0),
    records.reduce((sum, { providers }) => sum + Object.keys(providers).length, 0),
  );
  t.match(await answerTo('Where decisions are missing'), [{ dropped: 1 }]);
});

t.test('knows one subject by its hash, whatever part it is', async (t) => {
  for (const part of ['account', 'device', 'telemetry'] as const) {
    const hashOf = ({ subject }: DecisionRecord) => (part === 'device' ? subject.devices[0] : subject[part]);
    const hash = records.map(hashOf).find((one) => typeof one === 'string') ?? '';
    const own = records.filter((record) => hashOf(record) === hash);
    const accounts = new Set(own.map(({ subject }) => subject.account).filter((one) => one !== null));
    t.match(await answerTo('One subject', { part, hash }), [
      {
        part,
        decisions: own.length,
        blocked: own.filter(({ decision }) => decision === 'BLOCK').length,
        accounts: accounts.size,
        devices: new Set(own.flatMap(({ subject }) => subject.devices)).size,
      },
    ]);
    const latest = await answerTo('And its latest decisions', { hash });
    t.equal(latest.length, own.length);
    t.strictSame(
      JSON.parse(String(latest[0]?.['record'])),
      own.find(({ decision_id: id }) => id === latest[0]?.['decision_id']),
      'the record is whole',
    );
  }
  t.strictSame(await answerTo('One subject', { part: 'account', hash: 'f'.repeat(32) }), []);
});

t.test('has a record that came twice once, with FINAL', async (t) => {
  await insert(records.slice(0, 10));
  t.match(await clickhouse.query('SELECT count() AS n FROM riskgate.decisions FINAL'), [
    { n: records.length },
  ]);
  t.equal((await answerTo('Where decisions are missing')).length, 1);
});
