import t from 'tap';
import { z } from 'zod';
import type { SinkDefinition } from '../../../src/stores/decision-log/definition.ts';
import { file } from '../../../src/stores/decision-log/file/index.ts';
import { memory } from '../../../src/stores/decision-log/memory/index.ts';
import { checkSinks, SINKS } from '../../../src/stores/decision-log/registry.ts';

const mistakesOf = (...sinks: SinkDefinition[]): readonly string[] => {
  const result = checkSinks(sinks);
  return result.ok ? [] : result.mistakes;
};

t.test('accepts the sinks of this service', async (t) => {
  t.strictSame(checkSinks(SINKS), { ok: true, value: SINKS });
});

t.test('refuses duplicate ids and environment variables', async (t) => {
  t.strictSame(mistakesOf(memory, file, file), [
    'Sink id "file" is used twice.',
    'Environment variable DECISION_LOG_FILE is used twice.',
  ]);
});

t.test('refuses ids that cannot be a label or a word in DECISION_LOG', async (t) => {
  for (const id of ['', 'File', '1st', 'a-b', 'a,b', '__proto__', 'a'.repeat(33)])
    t.match(mistakesOf(memory, { ...file, id }), [/is not lower snake case/], id);
  t.strictSame(mistakesOf(memory, { ...file, id: 'off' }), ['Sink id "off" is reserved.']);
});

t.test('refuses ill-formed variables', async (t) => {
  const variables = { one: { env: 'lower', schema: z.string(), description: 'x' } };
  t.match(mistakesOf(memory, { ...file, variables }), [/"lower" of sink "file" is not upper snake case/]);
});

t.test('refuses a log that is read nowhere without a name, or in two places', async (t) => {
  t.match(mistakesOf(file), [/One readable sink is the fallback/]);
  t.match(mistakesOf(memory, { ...file, isReadable: true, isFallback: true }), [/and not 2/]);
  t.match(mistakesOf({ ...memory, isReadable: false }), [/and not 0/]);
});
