import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { ROOT } from '../support/start-program.ts';
import { DIGESTS_FILE, toDigestLines, transcribeAll } from './digests.ts';
import type { Scenario } from './scenarios.ts';
import type { Transcript } from './transcribe.ts';

const HINT =
  'see what differs with `npm run differential -- --print <group>` or test/differential/compare.ts; where it is meant to, `npm run differential -- --write`';

/** Checks that the service answers to these scenarios, byte for byte, what is committed. */
export async function checkDigests(t: Test, scenarios: readonly Scenario[]): Promise<readonly Transcript[]> {
  const transcripts = await transcribeAll(ROOT, scenarios);
  const committed = readFileSync(DIGESTS_FILE, 'utf8').trimEnd().split('\n');
  const names = new Set(scenarios.map(({ name }) => name));
  const expected = committed.filter((line) => names.has(line.split(' ')[1]?.split('/')[0] ?? ''));
  t.strictSame(toDigestLines(transcripts), expected, HINT);
  return transcripts;
}

/**
 * How often these texts are in the transcripts: a generator that no longer makes something proves nothing.
 */
export function countTexts(
  transcripts: readonly Transcript[],
  texts: readonly string[],
): Readonly<Record<string, number>> {
  const all = transcripts.map(({ text }) => text).join('\n');
  return Object.fromEntries(texts.map((text) => [text, all.split(text).length - 1]));
}
