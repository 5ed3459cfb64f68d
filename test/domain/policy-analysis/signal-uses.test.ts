import t from 'tap';
import { collectUses, type SignalUses } from '../../../src/domain/policy-analysis/signal-uses.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

function usesOf(when: string) {
  const uses: SignalUses = new Map();
  const [only] = compiled(documentOf([rule(when)])).rules;
  if (only !== undefined) collectUses(only.ast, uses);
  return Object.fromEntries(
    [...uses].map(([name, { literals, peers, searches, opaque }]) => [
      name,
      [[...literals], [...peers], [...searches.keys()], [...opaque]],
    ]),
  );
}

t.test('notes what signals are compared with', async (t) => {
  t.same(usesOf('a.asn > 5 && !(a.action == "X") || has(b.asn)'), {
    'a.asn': [[5], [], [], []],
    'a.action': [['X'], [], [], []],
    'b.asn': [[], [], [], []],
  });
  t.same(usesOf('a.asn > -5 && a.score < -0.5'), {
    'a.asn': [[-5], [], [], []],
    'a.score': [[-0.5], [], [], []],
  });
  t.same(usesOf('a.action in ["X", "Y"] && "Z" in a.reasons && a.found == true'), {
    'a.action': [['X', 'Y'], [], [], []],
    'a.reasons': [['Z'], [], [], []],
    'a.found': [[true], [], [], []],
  });
  t.same(usesOf('a.asn < b.asn && a.asn == a.asn'), {
    'a.asn': [[], ['b.asn'], [], []],
    'b.asn': [[], ['a.asn'], [], []],
  });
  t.same(usesOf('true && (a.found ? b.found : false)'), {
    'a.found': [[], [], [], []],
    'b.found': [[], [], [], []],
  });
});

t.test('notes a search for a literal, and no other, as one', async (t) => {
  t.same(usesOf('a.action.contains("X") && in_network(request.ip, "10.0.0.0/8")'), {
    'a.action': [[], [], ['contains X'], []],
    'request.ip': [[], [], ['in_network 10.0.0.0/8'], []],
  });
  t.same(usesOf('a.action.contains(b.action)'), {
    'a.action': [[], [], [], ['a.action.contains(b.action)']],
    'b.action': [[], [], [], ['a.action.contains(b.action)']],
  });
  t.same(usesOf('"XY".contains(a.action)'), { 'a.action': [['XY'], [], [], ['"XY".contains(a.action)']] });
});

t.test('notes what it cannot read off, with the literals in it', async (t) => {
  t.same(usesOf('a.asn + 1 > 5'), { 'a.asn': [[1, 5], [], [], ['a.asn + 1 > 5']] });
  t.same(usesOf('a.action in ["X", b.action]'), {
    'a.action': [['X'], [], [], ['a.action in ["X", b.action]']],
    'b.action': [['X'], [], [], ['a.action in ["X", b.action]']],
  });
  t.same(usesOf('a.action in b.reasons'), {
    'a.action': [[], [], [], ['a.action in b.reasons']],
    'b.reasons': [[], [], [], ['a.action in b.reasons']],
  });
  t.same(usesOf('a.asn > 9007199254740993'), { 'a.asn': [[], [], [], ['a.asn > 9007199254740993']] });
  t.same(usesOf('{"x": a.found}.x'), { 'a.found': [['x'], [], [], ['{"x": a.found}.x']] });
  t.same(usesOf('bool(a.action)'), { 'a.action': [[], [], [], ['bool(a.action)']] });
  t.same(usesOf('a.action.matches("^B")'), { 'a.action': [['^B'], [], [], ['a.action.matches("^B")']] });
});
