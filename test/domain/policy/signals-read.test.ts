import t from 'tap';
import { createCheckEnvironment, variableTypes } from '../../../src/domain/policy/cel-environment.ts';
import { findSignalsRead } from '../../../src/domain/policy/signals-read.ts';
import { COMPILE_OPTIONS } from '../../support/policy-fixture.ts';

const environment = createCheckEnvironment(variableTypes(COMPILE_OPTIONS.providers));

function read(...conditions: readonly string[]) {
  const asts = conditions.map((condition) => environment.parse(condition).ast);
  return Object.fromEntries(findSignalsRead(asts, ['a', 'b']));
}

t.test('names the signals that some condition reads, and found', async (t) => {
  t.same(read('a.action == "BLOCK"', 'has(b.model) && b["count"] > 1.0'), {
    a: ['found', 'action'],
    b: ['found', 'model', 'count'],
  });
  t.same(read('a.model.brand == "x"')['a'], ['found', 'model'], 'of the first level only');
  t.same(read('a.list.exists(each, each == b.action)'), { a: ['found', 'list'], b: ['found', 'action'] });
  t.same(read('request.action == "login"'), { a: ['found'], b: ['found'] });
});

t.test('names none where a condition reads them all', async (t) => {
  t.same(read('size(a) > 0', 'a.action == "x"'), { a: null, b: ['found'] });
  t.same(read('a.action == "x"', 'a[b.action] == "x"'), { a: null, b: ['found', 'action'] });
});
