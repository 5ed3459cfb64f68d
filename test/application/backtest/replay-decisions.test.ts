import t from 'tap';
import { createPolicyOf } from '../../../src/application/backtest/policy-of.ts';
import { replayDecisions } from '../../../src/application/backtest/replay-decisions.ts';
import type { LogRecord } from '../../../src/domain/decision-log/decision-record.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { failure, success } from '../../../src/domain/result.ts';
import { createGapRecord } from '../../support/decision-records.ts';
import { FLAGS, recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const named = (hash: string, policy: CompiledPolicy): CompiledPolicy => ({ ...policy, hash });
const PLAIN = named('sha256:plain', compiled(documentOf([rule('!a.found')])));
const READING = named('sha256:reading', compiled(documentOf([rule('request.ip == "192.0.2.1"')])));
const ADDRESS = { request: { ...FLAGS, ip: '192.0.2.1' } };

async function* pagesOf(...pages: readonly (readonly LogRecord[])[]) {
  for (const page of pages) yield page.map((record) => ({ record }));
}

t.test('counts decisions by what came of them, and tells the first that differs', async (t) => {
  const policyOf = createPolicyOf({ given: [PLAIN, READING], texts: null, compile: () => failure(['none']) });
  const plain = recordOf(PLAIN);
  const changed = { ...plain, decision_id: 'changed', decision: 'BLOCK' as const };
  const pages = pagesOf(
    [plain, createGapRecord(0, 1), changed],
    [],
    [
      { ...changed, decision_id: 'later' },
      recordOf(READING, ADDRESS),
      recordOf(READING, ADDRESS),
      recordOf(READING),
    ],
    [
      { ...plain, rules: [] },
      { ...plain, policy: { id: 'x', hash: 'sha256:unknown' } },
    ],
  );
  const report = await replayDecisions({ pages, policyOf });
  t.match(report, {
    decisions: 8,
    same: 2,
    different: 2,
    first: { decisionId: 'changed', field: 'decision' },
  });
  t.same(
    [...report.notReplayable],
    [
      ['request.ip was not recorded', 2],
      ['no rule was asked', 1],
      ['the text of its policy is not kept', 1],
    ],
  );
});

t.test('stops where it is told to', async (t) => {
  const policyOf = createPolicyOf({ given: [PLAIN], texts: null, compile: () => failure(['none']) });
  const stop = new AbortController();
  const pages = (async function* () {
    yield [{ record: recordOf(PLAIN) }];
    stop.abort();
    yield [{ record: recordOf(PLAIN) }];
  })();
  t.match(await replayDecisions({ pages, policyOf, signal: stop.signal }), { decisions: 1, same: 1 });
});

t.test('compiles the text of a policy once, and says why none can be used', async (t) => {
  const compiledTexts: string[] = [];
  const policyOf = createPolicyOf({
    given: [],
    texts: { find: async (hash) => (hash === 'sha256:unknown' ? null : hash.slice('sha256:'.length)) },
    compile: (text) => {
      compiledTexts.push(text);
      return text === 'refused' ? failure(['1:1: is no policy']) : success(named(`sha256:plain`, PLAIN));
    },
  });
  t.match(await policyOf('sha256:plain'), { ok: true });
  t.match(await policyOf('sha256:plain'), { ok: true });
  t.same(compiledTexts, ['plain']);
  t.same(await policyOf('sha256:refused'), {
    ok: false,
    why: 'this version refuses its policy: 1:1: is no policy',
  });
  t.same(await policyOf('sha256:other'), { ok: false, why: 'the text of its policy is damaged' });
  t.same(await policyOf('sha256:unknown'), { ok: false, why: 'the text of its policy is not kept' });
  for (let n = 0; n < 64; n += 1) await policyOf(`sha256:other-${n}`);
  await policyOf('sha256:plain');
  t.equal(compiledTexts.filter((text) => text === 'plain').length, 2, 'not all are kept');
});
