import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compilePolicyText } from '../../src/app/check-file.ts';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { sqlite } from '../../src/stores/decision-log/sqlite/index.ts';
import { uuidAt } from '../support/decision-records.ts';
import { FLAGS, recordOf } from '../support/judged-records.ts';
import { openSink } from '../support/open-sink.ts';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory } from '../support/test-app.ts';

const textOf = (...rules: readonly string[]) =>
  `policy: mine\notherwise: ALLOW\nrules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`;
const FOUND = "{id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: NOT_FOUND}";
const OLD = "{id: old, when: 'stytch.age_seconds > 300', verdict: CHALLENGE, reason: OLD}";
const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');
const COUNT = 600;

// Threads start slowly on a busy machine.
t.setTimeout(170_000);

function createRecords(): readonly DecisionRecord[] {
  const compiled = compilePolicyText(textOf(FOUND), PROVIDERS, null);
  if (!compiled.ok) throw new Error(compiled.mistakes.join());
  const lost = { outcome: 'timeout', signals: null } as const;
  return Array.from({ length: COUNT }, (_, place) => {
    const signals = { found: place % 6 !== 0, age_seconds: place };
    const evidence = [{ outcome: 'ok', signals } as const, lost, lost];
    const record = recordOf(compiled.value, { evidence, request: FLAGS });
    const timeMs = NOW_MS + place * 60_000;
    return {
      ...record,
      decision_id: uuidAt(timeMs, place),
      decided_at: new Date(timeMs).toISOString(),
      action: place % 2 === 0 ? 'login' : 'payout',
    };
  });
}

async function createHistory(t: Test, records = createRecords()): Promise<string> {
  const directory = createDirectory(t);
  const settings = { dataDirectory: directory, retentionMs: 1e14, labelledKeptMs: 0, bytesMax: 2 ** 30 };
  const { sink, reader, close } = await openSink(t, sqlite, settings);
  for (let place = 0; place < records.length; place += 100)
    t.equal(await sink.append({ number: place / 100 + 1, records: records.slice(place, place + 100) }), true);
  for (const record of records.slice(400, 410)) {
    const label = { label: 'fraud', at: record.decided_at, note: null, caller: 'shop' } as const;
    await reader?.label(record.decision_id, label, true);
  }
  await close();
  return directory;
}

function writePolicy(t: Test, ...rules: readonly string[]): string {
  const file = join(createDirectory(t), 'policy.yaml');
  writeFileSync(file, textOf(...rules));
  return file;
}

t.test('tells what a policy would have changed, of a history and of a file alike', async (t) => {
  const records = createRecords();
  const env = { DATA_DIR: await createHistory(t, records) };
  const policy = writePolicy(t, FOUND, OLD);
  const { code, json } = await runCommand(['backtest', policy, '--json'], { env });
  t.equal(code, 1);
  t.match(json, {
    decisions: COUNT,
    judged: COUNT,
    changes: { changed: 250, stricter: 250, milder: 0 },
    not_replayable: [],
    labelled: { labels: [{ label: 'fraud', before: { ALLOW: 8, BLOCK: 2 }, after: { CHALLENGE: 8 } }] },
  });
  const { rules, transitions } = json;
  t.same(rules[0], { rule: 'old', before: 0, after: 299, gained: 299, lost: 0 });
  const challenged = transitions.find(({ to }: { to: string }) => to === 'CHALLENGE');
  t.equal(challenged.samples[0], records.at(-1)?.decision_id);
  const { text } = await runCommand(['backtest', policy], { env });
  t.match(text, /^600 decisions, 600 judged by sha256:/);
  t.match(text, /ALLOW {6}250 {8}250 {8}0\n/);
  t.match(text, /250 change their verdict \(41\.67 %\): 250 stricter, 0 milder\./);
  t.match(text, / {2}old +0 +299 +299 +0\n/);
  t.match(text, /challenged: precision 100\.0 % → 100\.0 %, recall 20\.0 % → 100\.0 %/);
  const lines = records.map((record) => JSON.stringify(record));
  const file = join(createDirectory(t), 'decisions.ndjson');
  writeFileSync(file, `${lines.join('\n')}\nno record\n`);
  const ofFile = await runCommand(['backtest', policy, '--file', file, '--json']);
  t.match(ofFile.json, { decisions: COUNT, bad_lines: 1, labelled: null, changes: { changed: 250 } });
  t.same(ofFile.json.transitions, transitions);
  t.match((await runCommand(['backtest', policy, '--file', file])).text, /1 lines that are no records/);
});

t.test('says that nothing changes', async (t) => {
  const env = { DATA_DIR: await createHistory(t) };
  const { code, text } = await runCommand(['backtest', writePolicy(t, FOUND)], { env });
  t.equal(code, 0);
  t.match(text, /0 change their verdict/);
});

t.test('counts what cannot be judged by its reason, and fails where that is all', async (t) => {
  const env = { DATA_DIR: await createHistory(t) };
  const counting = "{id: busy, when: 'activity.device.decisions_1h > 3', verdict: BLOCK, reason: BUSY}";
  const { code, text, json } = await runCommand(['backtest', writePolicy(t, counting)], { env });
  t.equal(code, 1);
  t.equal(json, null);
  t.match(text, /600 decisions, 0 judged[^\n]*\n {2}600 not replayable: activity\.device was not recorded\n/);
});

t.test('fails where a file holds no records at all, but something else', async (t) => {
  const file = join(createDirectory(t), 'decisions.csv');
  const backtest = () => runCommand(['backtest', writePolicy(t, FOUND), '--file', file]);
  writeFileSync(file, 'decision_id,decision\n01a1f965-b26f-7696-8202-c426ccf51e1b,ALLOW\n');
  t.match(await backtest(), {
    code: 2,
    text: '',
    err: /decisions\.csv is no export of decisions: no line is a record .*is no JSON object.*NDJSON/,
  });
  writeFileSync(file, `{"kind":"gap"}\n${JSON.stringify({ kind: 'gap' })}\n`);
  t.match(await backtest(), { code: 2, err: /is no export of decisions/ });
  writeFileSync(file, '');
  t.match(await backtest(), { code: 0, text: /^0 decisions/ });
});

t.test('takes a span, filters and costs', async (t) => {
  const env = { DATA_DIR: await createHistory(t) };
  const policy = writePolicy(t, FOUND, OLD);
  const ask = (...args: readonly string[]) => runCommand(['backtest', policy, '--json', ...args], { env });
  t.match((await ask('--where', 'action=payout')).json, { decisions: 300 });
  t.match((await ask('--where', 'action=payout&decision=BLOCK')).json, { decisions: 0 });
  const since = new Date(NOW_MS + 590 * 60_000).toISOString();
  t.match((await ask('--since', since)).json, { decisions: 10 });
  t.match((await ask('--until', since)).json, { decisions: 590 });
  const costs = join(createDirectory(t), 'costs.yaml');
  writeFileSync(costs, 'fraud: {ALLOW: 100, CHALLENGE: 5}\n');
  t.match((await ask('--costs', costs)).json, { labelled: { before: { cost: 800 }, after: { cost: 40 } } });
  t.match((await runCommand(['backtest', policy, '--costs', costs], { env })).text, /cost: 800 → 40/);
  writeFileSync(costs, 'fraude: {ALLOW: 100}\n');
  t.match(await ask('--costs', costs), { code: 2, json: { error: { code: 'bad_costs' } } });
  for (const [where, message] of [
    ['action=a&action=b', /action is given twice/],
    ['colour=red', /colour/],
    ['account_id=somebody', /takes the hash that records have/],
    ['ip=192.0.2.1', /takes the hash that records have/],
    ['decision=MAYBE', /decision/],
    ['since=2026-03-01T00:00:00Z', /since/],
  ] as const)
    t.match(await ask('--where', where), { code: 2, json: { error: { message } } }, where);
});

t.test('says what keeps it from reading', async (t) => {
  const policy = writePolicy(t, FOUND);
  t.match(await runCommand(['backtest', policy]), { code: 2, err: /no log is configured/ });
  const env = { DATA_DIR: createDirectory(t) };
  t.match(await runCommand(['backtest', policy], { env }), { code: 3, err: /holds no history/ });
  const file = writePolicy(t, "{id: x, when: 'stytch.fond', verdict: BLOCK, reason: X}");
  t.match(await runCommand(['backtest', file], { env }), { code: 2, err: /found/ });
  const full = { DATA_DIR: await createHistory(t) };
  const signal = AbortSignal.abort();
  t.match(await runCommand(['backtest', policy], { env: full, signal }), { code: 3, err: /interrupted/ });
  const directory = join(full.DATA_DIR, 'history');
  writeFileSync(join(directory, '20260310-0001.sqlite'), 'no database'.repeat(1000));
  t.match(await runCommand(['backtest', policy], { env: full }), { code: 3, err: /cannot be read/ });
});
