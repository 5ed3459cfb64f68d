import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
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

const TEXT = `policy: mine
otherwise: ALLOW
rules:
  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: NOT_FOUND}
  - {id: address, when: 'request.ip == "192.0.2.1"', verdict: BLOCK, reason: ADDRESS}
`;
const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');

function createRecords(): readonly DecisionRecord[] {
  const compiled = compilePolicyText(TEXT, PROVIDERS, null);
  if (!compiled.ok) throw new Error(compiled.mistakes.join());
  const lost = { outcome: 'timeout', signals: null } as const;
  const evidence = [{ outcome: 'ok', signals: { found: true } } as const, lost, lost];
  const requests = [FLAGS, FLAGS, { ...FLAGS, ip: '192.0.2.1' }, FLAGS];
  return requests.map((request, place) => {
    const record = recordOf(compiled.value, { evidence, request });
    const timeMs = NOW_MS + place * 60_000;
    return { ...record, decision_id: uuidAt(timeMs, place), decided_at: new Date(timeMs).toISOString() };
  });
}

async function createHistory(t: Test, records: readonly DecisionRecord[], hasText = true): Promise<string> {
  const directory = createDirectory(t);
  const day = 86_400_000;
  const settings = {
    dataDirectory: directory,
    retentionMs: 3660 * day,
    labelledKeptMs: 0,
    bytesMax: 2 ** 30,
  };
  const { sink, policies, close } = await openSink(t, sqlite, settings);
  t.equal(await sink.append({ number: 1, records }), true);
  if (hasText) await policies?.keep(records[0]?.policy.hash ?? '', TEXT);
  await close();
  return directory;
}

t.test('judges a history again by the policies that it keeps', async (t) => {
  const records = createRecords();
  const env = { DATA_DIR: await createHistory(t, records) };
  const all = await runCommand(['replay', '--json'], { env });
  t.equal(all.code, 0);
  t.same(all.json, {
    ok: true,
    decisions: 4,
    same: 3,
    different: 0,
    causes: {},
    not_replayable: [{ reason: 'request.ip was not recorded', count: 1 }],
    first: null,
  });
  const since = records[2]?.decided_at ?? '';
  const late = await runCommand(['replay', '--since', since], { env });
  t.equal(
    late.text,
    '2 decisions: 1 came to the same, 0 did not.\n  1 not replayable: request.ip was not recorded\n',
  );
});

t.test('shows the first decision that comes out otherwise', async (t) => {
  const [first, second, ...rest] = createRecords();
  if (first === undefined || second === undefined) throw new Error('there are four');
  const rules = second.rules.with(0, { rule: 'unknown-id', result: 'true' });
  const env = { DATA_DIR: await createHistory(t, [first, { ...second, rules }, ...rest]) };
  const { code, text } = await runCommand(['replay'], { env });
  t.equal(code, 1);
  t.match(text, /^4 decisions: 2 came to the same, 1 did not\.\n {2}1 differ: the condition comes to/);
  t.ok(text.includes(`The first that differs: ${second.decision_id} of ${second.decided_at}`));
  t.match(text, / {2}- .*"true".*\n {2}\+ .*"false".*\n {2}when !stytch\.found\n {4}stytch\.found = true\n$/);
  const { json } = await runCommand(['replay', '--json'], { env });
  t.match(json, {
    ok: false,
    causes: { rule: 1 },
    first: { decision_id: second.decision_id, field: 'rules[0]', cause: 'rule' },
  });
});

t.test('says of a file that is no export what it is expected to be', async (t) => {
  const file = join(createDirectory(t), 'policy.yaml');
  writeFileSync(file, 'policy: mine\notherwise: ALLOW\n');
  t.match(await runCommand(['replay', '--file', file]), {
    code: 2,
    text: '',
    err: /policy\.yaml is no export of decisions: no line is a record .*An export is NDJSON/,
  });
});

t.test('reads a file, with policies beside it', async (t) => {
  const directory = createDirectory(t);
  const file = join(directory, 'decisions.ndjson.zst');
  const lines = createRecords().map((record) => JSON.stringify(record));
  writeFileSync(file, zstdCompressSync([...lines, 'no record'].join('\n')));
  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, TEXT);
  const { code, text } = await runCommand(['replay', '--file', file, policy]);
  t.equal(code, 0);
  t.match(text, /3 came to the same[\s\S]*1 not replayable: a line that is no record/);
  const without = await runCommand(['replay', '--file', file]);
  t.equal(without.code, 1, 'not one could be judged');
  t.match(without.text, /4 not replayable: the text of its policy is not kept/);
  const env = { DECISION_LOG: 'file', DECISION_LOG_FILE: file };
  t.match(
    (await runCommand(['replay', policy], { env })).text,
    /3 came to the same/,
    'the file that a service writes',
  );
});

t.test('says what keeps it from reading', async (t) => {
  t.match(await runCommand(['replay', '--file', join(createDirectory(t), 'none')]), {
    code: 3,
    err: /ENOENT/,
  });
  t.match(await runCommand(['replay']), {
    code: 2,
    err: /no log is configured.*DECISION_LOG=file with DECISION_LOG_FILE/,
  });
  const env = { DATA_DIR: await createHistory(t, createRecords(), false) };
  t.match(await runCommand(['replay', '--since', 'now'], { env }), { code: 2 });
  t.match(await runCommand(['replay'], { env, signal: AbortSignal.abort() }), {
    code: 3,
    err: /interrupted/,
  });
});
