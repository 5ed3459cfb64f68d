import t from 'tap';
import { judgeCases } from '../../../src/domain/policy-tests/judge-cases.ts';
import { readCases } from '../../../src/domain/policy-tests/read-cases.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const POLICY = compiled(
  documentOf([
    rule('!a.found', { id: 'not-found', reason: 'NOT_FOUND' }),
    rule('a.action == "BLOCK"', { id: 'blocks', reason: 'BLOCKS' }),
    rule('telemetry.age_seconds > 60', { id: 'stale', reason: 'STALE', verdict: 'CHALLENGE' }),
  ]),
);
const BLOCKED = { given: { a: { outcome: 'ok', signals: { found: true, action: 'BLOCK' } } } };
const MATRIX = {
  name: 'all',
  subjects: { good: {}, bad: BLOCKED },
  situations: { well: {}, 'a is down': { given: { a: { outcome: 'timeout' } }, degraded: true } },
};

function read(matrix: Record<string, unknown>) {
  const evidence = { a: { outcome: 'ok', signals: { found: true, action: 'ALLOW' } } };
  return readCases(
    { policy: 'p.yaml', evidence, matrix: [{ ...MATRIX, ...matrix }] },
    POLICY,
    SPACE_PROVIDERS,
  );
}

function mistakesIn(matrix: Record<string, unknown>): readonly string[] {
  const found = read(matrix);
  return found.ok ? [] : found.mistakes.map(({ path, message }) => `${path.slice(2).join('.')}: ${message}`);
}

/** The cases with what they came to and where their decisions stand. */
function judge(matrix: Record<string, unknown>) {
  const found = read(matrix);
  if (!found.ok) throw new Error(JSON.stringify(found.mistakes));
  return judgeCases(POLICY, found.value).map(({ case: { name, path }, differences }) => [
    name,
    path.join('.'),
    differences.map(({ field, actual }) => `${field} ${actual}`).join(),
  ]);
}

t.test('has a case for each subject in each situation', async (t) => {
  const decisions = {
    good: { well: 'ALLOW', 'a is down': 'CHALLENGE' },
    bad: { well: { decision: 'BLOCK', reasons: ['BLOCKS'] }, 'a is down': { decision: 'CHALLENGE' } },
  };
  t.same(judge({ decisions }), [
    ['all: good, well', 'matrix.0.decisions.good.well', ''],
    ['all: good, a is down', 'matrix.0.decisions.good.a is down', ''],
    ['all: bad, well', 'matrix.0.decisions.bad.well', ''],
    ['all: bad, a is down', 'matrix.0.decisions.bad.a is down', ''],
  ]);
});

t.test('takes one decision for all, or for all situations of a subject', async (t) => {
  t.same(judge({ decisions: 'CHALLENGE' }), [
    ['all: good, well', 'matrix.0.decisions', 'decision ALLOW'],
    ['all: good, a is down', 'matrix.0.decisions', ''],
    ['all: bad, well', 'matrix.0.decisions', 'decision BLOCK'],
    ['all: bad, a is down', 'matrix.0.decisions', ''],
  ]);
  const rows = judge({ decisions: { good: { decision: 'ALLOW', degraded: false }, bad: 'BLOCK' } });
  t.same(
    rows.map(([, , differences]) => differences),
    ['', 'decision CHALLENGE,degraded true', '', 'decision CHALLENGE'],
  );
});

t.test('adds what a situation says to what the subject and the matrix say', async (t) => {
  const rows = judge({
    telemetry: { uses: 2 },
    subjects: { old: { telemetry: { age_seconds: 61 } }, blocked: BLOCKED },
    situations: { well: {}, fresh: { telemetry: { age_seconds: 60 } }, lost: { telemetry: 'unknown' } },
    decisions: 'ALLOW',
  });
  t.same(
    rows.map(([, , differences]) => differences),
    [
      'decision CHALLENGE',
      '',
      'decision CHALLENGE,degraded true',
      'decision BLOCK',
      'decision BLOCK',
      'decision BLOCK,degraded true',
    ],
  );
});

t.test('says what is wrong with a matrix', async (t) => {
  t.same(mistakesIn({ decisions: { good: 'ALLOW', bd: 'BLOCK', 'quite other': 'ALLOW' } }), [
    'decisions.bd: there is no subject "bd": did you mean "bad"?',
    'decisions.quite other: there is no subject "quite other"',
    'decisions: no decision for the subject "bad"',
  ]);
  t.same(mistakesIn({ decisions: { good: { well: 'ALLOW' }, bad: 'BLOCK' } }), [
    'decisions.good: no decision for the situation "a is down"',
  ]);
  t.match(mistakesIn({}), ['decisions: is missing']);
  t.match(mistakesIn({ decisions: null }), [/^decisions: a verdict is missing/]);
  t.match(mistakesIn({ decisions: 'DENY' }), [/^decisions: must be one of ALLOW, CHALLENGE, BLOCK/]);
  t.match(mistakesIn({ decisions: ['ALLOW'] }), [/^decisions: must be one of/]);
  t.match(mistakesIn({ decisions: { good: { decision: 'ALLOW', reason: [] }, bad: 'ALLOW' } }), [
    'decisions.good.reason: unknown field "reason": did you mean "reasons"?',
  ]);
  t.match(mistakesIn({ decisions: 'ALLOW', subjects: {} }), ['subjects: has no member']);
  t.match(mistakesIn({ decisions: 'ALLOW', subjects: { x: { telemetry: { age_seconds: 'x' } } } }), [
    /^subjects.x.telemetry.age_seconds: /,
  ]);
});
