import type { Test } from 'tap';
import type { PolicyTexts } from '../../src/application/decision-log/policy-texts.ts';

/** One place for the texts of policies. */
export interface PolicyTextsTwin {
  readonly id: string;
  /** Whether what is kept outlives the process. */
  readonly isDurable: boolean;
  /** Gives a place that closes with the test, and what opens the same place again. */
  open(t: Test): Promise<{ readonly texts: PolicyTexts; reopen(): Promise<PolicyTexts> }>;
}

const HASH = `sha256:${'a'.repeat(64)}`;
const OTHER_HASH = `sha256:${'b'.repeat(64)}`;
const TEXT = 'policy: ä\nrules:\n  - when: "a.found \u2028 \\u0000"\n';

/** What every place for the texts of policies promises. */
export async function testPolicyTexts(t: Test, twin: PolicyTextsTwin): Promise<void> {
  t.test('finds a text under its hash, byte for byte, and none under another', async (t) => {
    const { texts } = await twin.open(t);
    t.equal(await texts.find(HASH), null, 'nothing is kept yet');
    t.equal(await texts.keep(HASH, TEXT), true);
    t.equal(await texts.find(HASH), TEXT);
    t.equal(await texts.find(OTHER_HASH), null);
    t.equal(await texts.find(''), null);
  });

  t.test('keeps a text that comes again, and others beside it', async (t) => {
    const { texts } = await twin.open(t);
    for (const _ of [1, 2, 3]) t.equal(await texts.keep(HASH, TEXT), true);
    t.equal(await texts.keep(OTHER_HASH, 'another'), true);
    t.equal(await texts.find(HASH), TEXT);
    t.equal(await texts.find(OTHER_HASH), 'another');
  });

  t.test('keeps a text of a mebibyte, and texts that come at once', async (t) => {
    const { texts } = await twin.open(t);
    const large = 'ü'.repeat(2 ** 19);
    const kept = await Promise.all([
      texts.keep(HASH, large),
      texts.keep(OTHER_HASH, TEXT),
      texts.keep(HASH, large),
    ]);
    t.same(kept, [true, true, true]);
    t.equal(await texts.find(HASH), large);
    t.equal(await texts.find(OTHER_HASH), TEXT);
  });

  if (!twin.isDurable) return;
  t.test('has what was kept by an earlier process, and by another one meanwhile', async (t) => {
    const { texts, reopen } = await twin.open(t);
    await texts.keep(HASH, TEXT);
    const later = await reopen();
    t.equal(await later.find(HASH), TEXT);
    t.equal(await later.keep(OTHER_HASH, 'another'), true);
    t.equal(await later.find(OTHER_HASH), 'another');
  });
}
