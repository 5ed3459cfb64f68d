import t from 'tap';
import { withFacts } from '../../../src/domain/policy/cel-environment.ts';
import type { SubjectFact } from '../../../src/domain/policy/subject-fact.ts';
import { findFactField, findGaps, variableOf } from '../../../src/domain/policy/subject-fact.ts';

const TYPE = { kind: 'object', fields: new Map([['x', { kind: 'int' } as const]]) } as const;

function factOf(name: string): SubjectFact {
  return { name, typeOf: () => TYPE, whole: [], whyAbsent: { none: 'nothing', unknown: 'unavailable' } };
}

const FACTS = [factOf('whole'), factOf('divided.one'), factOf('divided.two')];

t.test('finds the field of a fact, and of a fact that is a part of its variable', async (t) => {
  const found = (...names: string[]) => {
    const read = findFactField(FACTS, names);
    return read && [read.fact.name, ...read.path];
  };
  t.same(found('whole', 'x', 'y'), ['whole', 'x', 'y']);
  t.same(found('divided', 'two', 'x'), ['divided.two', 'x']);
  t.equal(found('whole'), null, 'no field');
  t.equal(found('divided', 'one'), null, 'no field');
  t.equal(found('divided', 'three', 'x'), null, 'no such part');
  t.equal(variableOf(factOf('divided.one')), 'divided');
});

t.test('finds what a known fact lacks, at any depth', async (t) => {
  const paths = [['a'], ['b', 'c'], ['toString']];
  t.same(findGaps([['a'], ['b', 'c']], { a: 0, b: { c: false } }), []);
  t.same(findGaps(paths, { a: undefined, b: {} }), [0, 1, 2]);
  t.same(findGaps(paths, { a: 1, b: 'text' }), [1, 2]);
});

t.test('puts the parts of a variable together', async (t) => {
  const types = withFacts(new Map(), new Map(FACTS.map(({ name }) => [name, TYPE])));
  t.same([...types.keys()], ['whole', 'divided']);
  t.same(types.get('whole'), TYPE);
  t.same([...(types.get('divided')?.fields.keys() ?? [])], ['one', 'two']);
});
