import type { ASTNode } from '@marcbachmann/cel-js';
import t from 'tap';
import { toConditionTest } from '../../../src/domain/policy/closures.ts';
import { toOperand, toPresence } from '../../../src/domain/policy/condition-operands.ts';
import type { RowLayout } from '../../../src/domain/policy/evidence-row.ts';
import { toRunContext } from '../../../src/domain/policy/run-context.ts';
import { compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';

const LAYOUT: RowLayout = {
  variables: new Map([
    [
      'a',
      {
        place: 0,
        type: {
          kind: 'object',
          fields: new Map([
            ['flag', { kind: 'bool' }],
            ['text', { kind: 'string' }],
          ]),
        },
      },
    ],
  ]),
  states: new Map(),
};
const ROW = [{ flag: true, text: 'x' }];

/** A node as the parser makes it, also one that the check of a policy would refuse. */
function node(op: string, args: unknown): ASTNode {
  return { op, args } as unknown as ASTNode;
}

const variable = node('id', 'a');
const flag = node('.', [variable, 'flag']);
const text = node('.', [variable, 'text']);
const literal = (value: unknown) => node('value', value);

t.test('leaves to the interpreter what only another type could compare', async (t) => {
  const conditions = {
    'a text with a number': node('==', [text, literal(1n)]),
    'an order of truth values': node('<', [flag, flag]),
    'a truth value in a list': node('in', [flag, node('list', [literal(true)])]),
    'a negated text': node('==', [text, node('-_', literal('x'))]),
    'a field of a text': node('==', [node('.', [text, 'length']), literal('x')]),
  };
  for (const [name, condition] of Object.entries(conditions))
    t.equal(toConditionTest(condition, LAYOUT)(ROW), undefined, name);
  t.equal(toConditionTest(node('==', [text, literal('x')]), LAYOUT)(ROW), true, 'and reads what it can');
});

t.test('reads no signal where there is none', async (t) => {
  t.equal(toOperand(node('.', [text, 'length']), LAYOUT), null);
  t.equal(toPresence(undefined, LAYOUT), null);
  t.equal(toPresence(literal('x'), LAYOUT), null);
});

t.test('gives the interpreter no variable of a provider without evidence', async (t) => {
  const policy = compiled(documentOf([rule('a.found')]));
  const request = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
  const context = toRunContext(policy, [ok()], request, {});
  t.strictSame(Object.keys(context['providers'] as object), ['a']);
  t.notOk('b' in context);
});
