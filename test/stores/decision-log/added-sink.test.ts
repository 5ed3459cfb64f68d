import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { renderConfiguration } from '../../../docs/configuration-tables.ts';
import { checkFiles } from '../../../src/app/followed-files.ts';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { findMisspeltVariables } from '../../../src/config/misspelt-variables.ts';
import type { LogRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { integer } from '../../../src/platform/setting.ts';
import { defineSink, type SinkDefinition } from '../../../src/stores/decision-log/definition.ts';
import { NAMED_PLUG_INS } from '../../support/plug-ins.ts';
import { createDirectory, createEnvironment, createTestApp, startEmulators } from '../../support/test-app.ts';
import { VENDORS } from '../../support/vendors.ts';

const records: LogRecord[] = [];
let isTaking = true;

/** What a new folder would hold. */
const archive = defineSink({
  id: 'archive',
  variables: {
    token: {
      env: 'DECISION_LOG_ARCHIVE_TOKEN',
      schema: z.string().min(4, 'must have 4 characters'),
      description: 'What the archive is entered with.',
      isSecret: true,
    },
    shelf: {
      env: 'DECISION_LOG_ARCHIVE_SHELF',
      schema: integer(1, 9),
      default: '7',
      description: 'Where it is put.',
    },
  },
  isDurable: true,
  isShared: true,
  isReadable: false,
  isFallback: false,
  isImmediate: false,
  needsRedis: false,
  check: ({ shelf }) => (shelf === 9 ? ['DECISION_LOG_ARCHIVE_SHELF 9: is full'] : []),
  open: ({ token, shelf }, { isStrict, logger }) => {
    logger.info({ event: 'archive.opened', shelf, chars: token.length, isStrict });
    return {
      sink: {
        id: 'archive',
        isDurable: true,
        isShared: true,
        append: async (batch) => {
          if (isTaking) records.push(...batch.records);
          return isTaking;
        },
        close: async () => {},
      },
      reader: null,
      policies: null,
      health: () => null,
      close: async () => {},
    };
  },
});

/** And the one line. */
const sinks: readonly SinkDefinition[] = [...NAMED_PLUG_INS.sinks, archive];
const plugIns = { providers: VENDORS, sinks };

const ENV = {
  API_KEYS_FILE: 'keys.yaml',
  ID_HASH_KEY: 'k'.repeat(32),
  STYTCH_PROJECT_ID: 'project-1',
  STYTCH_SECRET: 'secret-1',
};

function mistakesOf(env: Readonly<Record<string, string>>): readonly string[] {
  const loaded = loadConfig({ ...ENV, ...env }, plugIns);
  return loaded.ok ? [] : loaded.mistakes;
}

const NAMED = { DECISION_LOG: 'archive', DECISION_LOG_ARCHIVE_TOKEN: 'canary' };

t.test('its name and its variables are known to the configuration', async (t) => {
  const loaded = loadConfig({ ...ENV, ...NAMED, DECISION_LOG_DELIVERY: 'strict' }, plugIns);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const config: Config = loaded.value;
  t.strictSame(config.decisionLog.sinks.at(-1), {
    id: 'archive',
    isNamed: true,
    settings: { token: 'canary', shelf: 7 },
  });
  t.strictSame(mistakesOf({ DECISION_LOG: 'archive' }), [
    'DECISION_LOG names archive, so DECISION_LOG_ARCHIVE_TOKEN is needed',
  ]);
  t.strictSame(mistakesOf({ DECISION_LOG_ARCHIVE_SHELF: '0' }), [
    'DECISION_LOG_ARCHIVE_SHELF must be at least 1',
  ]);
  t.match(mistakesOf({ DECISION_LOG: 'disk' }), [/redis, file, stdout, archive with commas/]);
  t.strictSame(mistakesOf({ DECISION_LOG_DELIVERY: 'strict' }), [
    'DECISION_LOG_DELIVERY strict needs redis or file or archive in DECISION_LOG',
  ]);
});

t.test('its secret may be in a file, and a slip in a name is found', async (t) => {
  const env = { ...ENV, DECISION_LOG: 'archive', DECISION_LOG_ARCHIVE_TOKEN_FILE: '/run/token' };
  const readSecret = () => ({ ok: true as const, value: 'from a file\n' });
  const loaded = loadConfig(env, plugIns, undefined, readSecret);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  t.match(loaded.value.decisionLog.sinks.at(-1), { settings: { token: 'from a file' } });
  t.strictSame(findMisspeltVariables({ DECISION_LOG_ARCHIVE_TOKN: 'x' }, plugIns), [
    { variable: 'DECISION_LOG_ARCHIVE_TOKN', meant: 'DECISION_LOG_ARCHIVE_TOKEN' },
  ]);
});

t.test('the tables of variables name it', async (t) => {
  const text = renderConfiguration(plugIns);
  t.match(text, '| `DECISION_LOG_ARCHIVE_TOKEN` |  | when its sink is named |');
  t.match(text, '| `DECISION_LOG_ARCHIVE_TOKEN_FILE` |');
  t.match(text, '| `DECISION_LOG_ARCHIVE_SHELF` | `7` | no | Where it is put. | 1 to 9 |');
  t.match(text, 'a list of `memory`, `redis`, `file`, `stdout`, `archive` with commas');
  t.match(text, 'durable in `redis` and `file` and `archive`, whichever are named');
});

t.test('it is asked at the start whether it will do, and only where it is named', async (t) => {
  const directory = createDirectory(t);
  const env = { ...createEnvironment(directory, 'http://127.0.0.1:1'), DECISION_LOG_ARCHIVE_SHELF: '9' };
  const check = (named: Readonly<Record<string, string>>) => {
    const loaded = loadConfig({ ...env, ...named }, plugIns, checkFiles(VENDORS, sinks));
    return loaded.ok ? [] : loaded.mistakes;
  };
  t.strictSame(check({}), []);
  t.strictSame(check(NAMED), ['DECISION_LOG_ARCHIVE_SHELF 9: is full']);
  const notes = join(directory, 'notes.txt');
  writeFileSync(notes, 'milk, bread');
  t.strictSame(
    check({ DECISION_LOG: 'file', DECISION_LOG_FILE: notes, DECISION_LOG_TIMEOUT_MS: '1' }),
    ['DECISION_LOG_TIMEOUT_MS must be at least 10', `DECISION_LOG_FILE ${notes}: is not a file of decisions`],
    'as the file is, beside other mistakes',
  );
});

t.test('the service writes to it, waits for it, counts it, and reads its own memory', async (t) => {
  const emulators = await startEmulators(t);
  const env = { ...NAMED, DECISION_LOG_DELIVERY: 'strict', DECISION_LOG_TIMEOUT_MS: '10000' };
  const app = await createTestApp(t, { emulators, env, sinks });
  const opened = app.logs.find(({ event }) => event === 'archive.opened');
  t.match(opened, { shelf: 7, chars: 6, isStrict: true });
  const { json } = await app.decide({ telemetry_id: 'telemetry-1', device_id: 'device-1' });
  t.match(records, [{ decision_id: json.decision_id, kind: 'decision' }]);
  const { text } = await app.ask('GET', '/metrics', { key: null });
  t.match(text, 'riskgate_decision_log_records_total{sink="archive",result="appended"} 1');
  const found = await app.ask<{ decision_id: string }>('GET', `/v1/decisions/${json.decision_id}`);
  t.equal(found.status, 200);
  isTaking = false;
  t.equal((await app.refused({ telemetry_id: 'telemetry-1', device_id: 'device-1' })).status, 503);
  const ready = await app.ask<{ decision_log_failing: string[] }>('GET', '/readyz', { key: null });
  t.strictSame(ready.json.decision_log_failing, ['archive']);
  t.notMatch(app.logText(), 'canary');
});
