import fc from 'fast-check';
import t from 'tap';
import { createCheckEnvironment, createRunEnvironment } from '../../../src/domain/policy/cel-environment.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import {
  CAN_BE_ERROR,
  CAN_BE_FALSE,
  CAN_BE_TRUE,
  possibleResults,
} from '../../../src/domain/policy/possible-results.ts';
import {
  conditions,
  definiteEvidence,
  indefiniteEvidence,
  policyDocuments,
  requests,
} from '../../support/policy-arbitraries.ts';
import { COMPILE_OPTIONS, compiled } from '../../support/policy-fixture.ts';

/** Seeded, so that a failure repeats. Believing a false that an outage caused fails within a few hundred runs. */
const RUNS = { numRuns: 3000, seed: 20260115 };

t.test('never turns a stricter verdict into ALLOW by losing evidence, unless a waiver says so', async (t) => {
  let stricter = 0;
  let waived = 0;
  fc.assert(
    fc.property(
      policyDocuments(),
      fc.tuple(definiteEvidence(), definiteEvidence()),
      fc.tuple(indefiniteEvidence(), indefiniteEvidence()),
      fc.integer({ min: 1, max: 3 }),
      requests(),
      (document, whole, lost, mask, request) => {
        const policy = compiled(document);
        const before = evaluatePolicy(policy, whole, request);
        const remaining = whole.map((piece, place) => (mask & (1 << place) ? (lost[place] ?? piece) : piece));
        const after = evaluatePolicy(policy, remaining, request);
        if (before.verdict === 'ALLOW') return true;
        stricter += 1;
        if (after.waivers.length > 0) waived += 1;
        return after.verdict !== 'ALLOW' || after.waivers.length > 0;
      },
    ),
    RUNS,
  );
  t.ok(stricter > 500, `${stricter} runs began with a stricter verdict`);
  t.ok(waived < stricter / 2, `${waived} of them were waived`);
});

t.test('never makes a true rule false or inert by losing evidence', async (t) => {
  let seen = 0;
  fc.assert(
    fc.property(
      conditions(true),
      fc.tuple(definiteEvidence(), definiteEvidence()),
      fc.tuple(indefiniteEvidence(), indefiniteEvidence()),
      fc.integer({ min: 1, max: 3 }),
      requests(),
      (when, whole, lost, mask, request) => {
        const document = {
          policy: 'test',
          otherwise: 'ALLOW',
          rules: [{ id: 'it', when, verdict: 'BLOCK', reason: 'IT' }],
        };
        const policy = compiled(document);
        const [before] = evaluatePolicy(policy, whole, request).trace;
        const remaining = whole.map((piece, place) => (mask & (1 << place) ? (lost[place] ?? piece) : piece));
        const [after] = evaluatePolicy(policy, remaining, request).trace;
        if (before?.result !== 'true' && before?.result !== 'unknown') return true;
        seen += 1;
        return after?.result === 'true' || after?.result === 'unknown';
      },
    ),
    RUNS,
  );
  t.ok(seen > 500, `${seen} runs began with a rule that spoke`);
});

t.test('foretells every result that a condition can have', async (t) => {
  const checking = createCheckEnvironment(COMPILE_OPTIONS.providers);
  const patterns = new Map([['^B', COMPILE_OPTIONS.compilePattern('^B')]]);
  const running = createRunEnvironment(COMPILE_OPTIONS.providers, patterns);
  fc.assert(
    fc.property(
      conditions(true),
      definiteEvidence(),
      definiteEvidence(),
      requests(),
      (when, a, b, request) => {
        const absent = new Set([a.signals ? '' : 'a', b.signals ? '' : 'b']);
        const possible = possibleResults(checking.parse(when).ast, absent);
        const context = {
          request,
          providers: { a: { outcome: a.outcome }, b: { outcome: b.outcome } },
          ...(a.signals ? { a: a.signals } : {}),
          ...(b.signals ? { b: b.signals } : {}),
        };
        let result = CAN_BE_ERROR;
        try {
          const value: unknown = running.parse(when.replaceAll('.matches(', '.matchesLinear('))(context);
          result = value === true ? CAN_BE_TRUE : CAN_BE_FALSE;
        } catch {
          // An error is one of the three results.
        }
        return (possible & result) !== 0;
      },
    ),
    RUNS,
  );
  t.pass('no result came that was not foretold');
});
