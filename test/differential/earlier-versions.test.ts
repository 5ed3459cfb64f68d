import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import t from 'tap';
import { compilePolicyText } from '../../src/app/check-file.ts';
import { createPolicyOf } from '../../src/application/backtest/policy-of.ts';
import { replayDecisions } from '../../src/application/backtest/replay-decisions.ts';
import { readExportLine } from '../../src/domain/decision-log/export-line.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { ROOT } from '../support/start-program.ts';

/** Written by `write.ts` there, one folder for each version. */
const CORPUS = join(ROOT, 'test/fixtures/decisions');
const VERSIONS = readdirSync(CORPUS).filter((name) => existsSync(join(CORPUS, name, 'records.ndjson.zst')));

/**
 * Decisions of which the trace says why in other words, by the version that made them: before 0a00b12 it did not
 * say which field of custody was lost.
 */
const REWORDED: Readonly<Record<string, object>> = { '8118f12': { wording: 400 } };

t.setTimeout(170_000);

const read = (version: string, name: string) =>
  zstdDecompressSync(readFileSync(join(CORPUS, version, name))).toString('utf8');

async function* pagesOf(lines: readonly string[]) {
  for (const line of lines) {
    const found = readExportLine(line);
    if (!found.ok) throw new Error(found.problem);
    yield [found.value];
  }
}

let judged = 0;
let decisions = 0;
for (const version of VERSIONS)
  t.test(`decides as version ${version} did`, async (t) => {
    const texts = JSON.parse(read(version, 'policies.json.zst')) as Readonly<Record<string, string>>;
    for (const [name, text] of Object.entries(texts)) t.equal(name, `sha256:${hash('sha256', text)}`);
    const policyOf = createPolicyOf({
      given: [],
      texts: { find: async (name) => texts[name] ?? null },
      compile: (text) => compilePolicyText(text, PROVIDERS, null),
    });
    const lines = read(version, 'records.ndjson.zst').trimEnd().split('\n');
    const report = await replayDecisions({ pages: pagesOf(lines), policyOf });
    t.same(Object.fromEntries(report.causes), REWORDED[version] ?? {});
    // Rules of generated policies read identifiers, which no record has.
    const reasons = [...report.notReplayable.keys()].filter(
      (reason) => reason !== 'no rule was asked' && !/^request\.[\w, .]+: not recorded$/.test(reason),
    );
    t.same(reasons, []);
    judged += report.same;
    decisions += report.decisions;
  });

t.test('is of thousands of decisions', async (t) => {
  t.equal(decisions, 10_000);
  t.ok(judged > 6_000, `${judged} were judged again`);
});
