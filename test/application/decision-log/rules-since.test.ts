import t from 'tap';
import { rulesSince } from '../../../src/application/decision-log/rules-since.ts';
import { policyDocumentSchema } from '../../../src/domain/policy/document.ts';

const documentOf = (...conditions: readonly string[]) =>
  policyDocumentSchema.parse({
    policy: 'shop',
    otherwise: 'ALLOW',
    rules: conditions.map((when, place) => ({ id: `rule-${place}`, when, verdict: 'BLOCK', reason: 'R' })),
  });
const entry = (hash: string, sinceMs: number) =>
  ({ id: 'shop', hash, sinceMs, by: null, why: 'file', previousHash: null }) as const;
const policiesOf = (documents: Readonly<Record<string, ReturnType<typeof documentOf>>>) => ({
  find: (hash: string) => {
    const document = documents[hash];
    return document === undefined ? null : { document, compiled: null };
  },
});

t.test('finds since when a rule stands as it does, without a break', async (t) => {
  const inForce = { hash: 'c', document: documentOf('a', 'b', 'c') };
  const policies = policiesOf({ b: documentOf('a', 'b'), a: documentOf('a', 'x', 'c') });
  const since = await rulesSince(inForce, [entry('c', 30), entry('b', 20), entry('a', 10)], policies);
  t.same(Object.fromEntries(since), { 'rule-0': 10, 'rule-1': 20, 'rule-2': 30 });
});

t.test('says nothing beyond a policy whose text is not known, nor of what was not noted yet', async (t) => {
  const inForce = { hash: 'c', document: documentOf('a') };
  const history = [entry('c', 30), entry('b', 20), entry('c', 10)];
  t.same(Object.fromEntries(await rulesSince(inForce, history, policiesOf({}))), { 'rule-0': 30 });
  t.equal((await rulesSince(inForce, [entry('b', 20)], policiesOf({}))).size, 0);
  t.equal((await rulesSince(inForce, [], policiesOf({}))).size, 0);
});

t.test('looks at no more policies than stay compiled', async (t) => {
  const document = documentOf('a');
  const history = Array.from({ length: 20 }, (_, place) => entry(`p${place}`, 100 - place));
  const documents = Object.fromEntries(history.map(({ hash }) => [hash, document]));
  const since = await rulesSince({ hash: 'p0', document }, history, policiesOf(documents));
  t.equal(since.get('rule-0'), 85);
});
