import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type CompiledPolicy, type CompiledRule, compilePolicy } from '../../../src/domain/policy/compile.ts';
import { type PolicyEvidence, toEvidenceRow } from '../../../src/domain/policy/evidence-row.ts';
import { toRunContext } from '../../../src/domain/policy/run-context.ts';
import { documentOf, rule } from '../../support/policy-fixture.ts';
import {
  oddCustody,
  oddEvidence,
  oddRequests,
  SUBSET_OPTIONS,
  subsetConditions,
} from '../../support/subset-conditions.ts';

/** Seeded, so that a failure repeats. */
const RUNS = { numRuns: 1500, seed: 20261129 };
const SUBJECTS = 24;

interface Tally {
  true: number;
  false: number;
  null: number;
  undefined: number;
}

function compiled(when: string): { policy: CompiledPolicy; only: CompiledRule } | null {
  const result = compilePolicy(documentOf([rule(when)]), SUBSET_OPTIONS);
  const only = result.ok ? result.value.rules[0] : undefined;
  return result.ok && only !== undefined ? { policy: result.value, only } : null;
}

/** What the interpreter makes of it; null for an error that something absent is the cause of. */
function interpret(only: CompiledRule, context: Readonly<Record<string, unknown>>): unknown {
  try {
    return only.run(context);
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    return code === 'no_such_key' || code === 'unknown_variable' ? null : `error ${String(code)}`;
  }
}

t.test('says what the interpreter says, or leaves it to the interpreter', async (t) => {
  const seen: Tally = { true: 0, false: 0, null: 0, undefined: 0 };
  let conditions = 0;
  const subjects = fc.array(fc.tuple(fc.tuple(oddEvidence(), oddEvidence()), oddRequests(), oddCustody()), {
    minLength: SUBJECTS,
    maxLength: SUBJECTS,
  });
  fc.assert(
    fc.property(subsetConditions(), subjects, (when, list) => {
      const policy = compiled(when);
      fc.pre(policy !== null);
      conditions += 1;
      for (const [evidence, request, custody] of list) {
        const facts = { telemetry: custody };
        const tested = policy.only.test(toEvidenceRow(policy.policy.facts, evidence, request, facts));
        seen[String(tested) as keyof Tally] += 1;
        if (tested === undefined) continue;
        const context = toRunContext(policy.policy, evidence, request, facts);
        assert.equal(interpret(policy.only, context), tested, when);
      }
    }),
    RUNS,
  );
  t.comment(JSON.stringify({ conditions, ...seen }));
  t.ok(conditions > RUNS.numRuns / 2);
  const all = conditions * SUBJECTS;
  t.ok(seen.true > all / 8 && seen.false > all / 8 && seen.null > all / 20);
});

t.test('leaves a list with anything but texts to the interpreter, which may fail', async (t) => {
  const policy = compiled('"X" in a.reasons');
  if (policy === null) throw new Error('The condition is not compiled.');
  const request = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
  for (const reasons of [[new Date(0), 'X'], ['X', 1], [null]]) {
    const evidence = [{ outcome: 'ok', signals: { found: true, reasons } }] as unknown as PolicyEvidence[];
    t.equal(policy.only.test(toEvidenceRow(policy.policy.facts, evidence, request, {})), undefined);
  }
});
