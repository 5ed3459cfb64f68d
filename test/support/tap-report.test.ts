import t from 'tap';
import { TapReport } from './tap-report.ts';

const FAILURES = `TAP version 14
1..3
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - sum
        not ok 2 - difference
          ---
          diff: |
            ok 9 - not a test point
            ...
          ...

        1..2
    not ok 1 - adds # time=3ms
      ---
      at: somewhere
      ...

    ok 2 - waits # SKIP no clock
    1..2
not ok 1 - test/a.test.ts # time=12ms
  ---
  exitCode: 1
  ...

# Subtest: test/b.test.ts
    ok 1 - fine
    1..1
ok 2 - test/b.test.ts # time=7.5ms

# Subtest: test/c.test.ts
    1..0 # no tests found
not ok 3 - test/c.test.ts # time=9ms
  ---
  signal: SIGSEGV
  ...

# { total: 5, pass: 2, fail: 2, skip: 1 }
# time=30ms
`;

t.test('reports each failure once, with its diagnostics and the names that lead to it', async (t) => {
  const { lines } = read(FAILURES);
  t.equal(
    lines.join('\n'),
    `not ok test/a.test.ts > adds > difference
  ---
  diff: |
    ok 9 - not a test point
    ...
  ...
omitted test/a.test.ts > waits (SKIP no clock)
not ok test/a.test.ts
ok test/b.test.ts 7.5ms
not ok test/c.test.ts
  ---
  signal: SIGSEGV
  ...`,
  );
});

t.test('counts what tap counts', async (t) => {
  t.strictSame(read(FAILURES).summary, { passed: 2, failed: 2, omitted: 1 });
  t.strictSame(read('# { total: 3, pass: 3 }').summary, { passed: 3, failed: 0, omitted: 0 });
  t.strictSame(read('# { total: 2, pass: 1, todo: 1 }').summary, { passed: 1, failed: 0, omitted: 1 });
});

t.test('has no summary of a run that was cut off, whatever its tests print', async (t) => {
  t.equal(read('TAP version 14\n1..9').summary, null);
  t.equal(read('    # { total: 1, pass: 1 }').summary, null);
});

t.test('reports a subtest that fails although what is inside it passes', async (t) => {
  const { lines } = read(`# Subtest: test/a.test.ts
    # Subtest: plans two
        ok 1 - one
        1..1
    not ok 1 - plans two # time=1ms
    1..1
not ok 1 - test/a.test.ts # time=2ms`);
  t.strictSame(lines, ['not ok test/a.test.ts > plans two', 'not ok test/a.test.ts']);
});

function read(tap: string): { lines: string[]; summary: TapReport['summary'] } {
  const lines: string[] = [];
  const report = new TapReport((line) => lines.push(line));
  for (const line of tap.split('\n')) report.add(line);
  return { lines, summary: report.summary };
}
