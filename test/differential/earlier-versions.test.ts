import { hash } from 'node:crypto';
import t from 'tap';
import { compilePolicyText } from '../../src/app/check-file.ts';
import { createPolicyOf } from '../../src/application/backtest/policy-of.ts';
import { replayDecisions } from '../../src/application/backtest/replay-decisions.ts';
import { readExportLine } from '../../src/domain/decision-log/export-line.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { CORPUS_VERSIONS, readCorpus } from '../support/decision-corpus.ts';

/**
 * Decisions of which the trace says why in other words, by the version that made them: before 0a00b12 it did not
 * say which field of custody was lost.
 */
const REWORDED: Readonly<Record<string, object>> = { '8118f12': { wording: 400 } };

t.setTimeout(170_000);

async function* pagesOf(lines: readonly string[]) {
  for (const line of lines) {
    const found = readExportLine(line);
    if (!found.ok) throw new Error(found.problem);
    yield [found.value];
  }
}

let judged = 0;
let decisions = 0;
for (const version of CORPUS_VERSIONS)
  t.test(`decides as version ${version} did`, async (t) => {
    const { lines, policies: texts } = readCorpus(version);
    for (const [name, text] of Object.entries(texts)) t.equal(name, `sha256:${hash('sha256', text)}`);
    const policyOf = createPolicyOf({
      given: [],
      texts: { find: async (name) => texts[name] ?? null },
      compile: (text) => compilePolicyText(text, PROVIDERS, null),
    });
    const report = await replayDecisions({ pages: pagesOf(lines), policyOf });
    t.same(Object.fromEntries(report.causes), REWORDED[version] ?? {});
    // Rules of generated policies read identifiers, which no record has.
    const reasons = [...report.notReplayable.keys()].filter(
      (reason) => reason !== 'no rule was asked' && !/^(request\.\w+ was not recorded(, )?)+$/.test(reason),
    );
    t.same(reasons, []);
    judged += report.same;
    decisions += report.decisions;
  });

t.test('is of thousands of decisions', async (t) => {
  t.equal(decisions, 10_000);
  t.ok(judged > 6_000, `${judged} were judged again`);
});
