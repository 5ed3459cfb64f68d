import t from 'tap';
import {
  decisiveRule,
  fromJudgedText,
  type Judged,
  toJudgedText,
} from '../../../src/domain/decision-log/judged.ts';
import { toRecordFacts } from '../../../src/domain/decision-log/record-facts.ts';
import { policyDocumentSchema } from '../../../src/domain/policy/document.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';

const document = policyDocumentSchema.parse({
  policy: 'shop',
  otherwise: 'ALLOW',
  rules: [
    { id: 'trusted', when: 'true', verdict: 'ALLOW', reason: 'A', exempt: true },
    { id: 'block', when: 'true', verdict: 'BLOCK', reason: 'B' },
    { id: 'block-too', when: 'true', verdict: 'BLOCK', reason: 'C' },
    { id: 'ask', when: 'true', verdict: 'CHALLENGE', reason: 'D' },
    { id: 'strict', when: 'true', verdict: 'CHALLENGE', reason: 'E', on_unknown: 'BLOCK' },
    { id: 'lenient', when: 'true', verdict: 'BLOCK', reason: 'F', on_unknown: 'IGNORE' },
    { id: 'watch', when: 'true', verdict: 'ALLOW', reason: 'G', observe: true },
  ],
});

const judged = (decision: Judged['decision'], ...rules: readonly string[]) =>
  fromJudgedText([decision, 'sha256:1', ...rules].join(' '));

t.test('spells what a decision came to, and reads it again', async (t) => {
  const text = toJudgedText(toRecordFacts(createDecisionRecord(0, 1)));
  t.equal(text, 'CHALLENGE sha256:1 one:unknown two three:waived');
  t.same(fromJudgedText(text), {
    decision: 'CHALLENGE',
    policyHash: 'sha256:1',
    rules: [
      { name: 'one', result: 'unknown' },
      { name: 'two', result: 'true' },
      { name: 'three', result: 'waived' },
    ],
  });
  t.match(fromJudgedText('ALLOW sha256:1'), { decision: 'ALLOW', rules: [] });
  t.match(fromJudgedText(''), { decision: 'BLOCK', policyHash: '' }, 'what is no verdict is the strictest');
});

t.test('finds the rule without which the verdict would have been another', async (t) => {
  for (const [expected, given] of [
    ['block', judged('BLOCK', 'block', 'ask')],
    [null, judged('BLOCK', 'block', 'block-too')],
    ['ask', judged('CHALLENGE', 'ask', 'watch', 'lenient:waived')],
    ['strict', judged('BLOCK', 'strict:unknown', 'ask')],
    ['block', judged('CHALLENGE', 'block:unknown')],
    ['ask', judged('CHALLENGE', 'ask', 'block:unknown', 'block:satisfied')],
    [null, judged('ALLOW', 'ask', 'ask:satisfied')],
    ['trusted', judged('ALLOW', 'trusted')],
    [null, judged('ALLOW')],
    [null, judged('BLOCK', 'gone')],
    [null, judged('BLOCK', 'lenient:unknown')],
    [null, judged('CHALLENGE', 'trusted:unknown', 'ask')],
  ] as const)
    t.equal(decisiveRule(given, document), expected, JSON.stringify(given));
  t.equal(decisiveRule(judged('ALLOW', 'watch'), document), null, 'what is only observed decides nothing');
  t.equal(
    decisiveRule(judged('BLOCK', 'block'), { ...document, otherwise: 'BLOCK' }),
    null,
    'it would have been so without it',
  );
});
