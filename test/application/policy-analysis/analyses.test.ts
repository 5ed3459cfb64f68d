import t from 'tap';
import { createAnalyses, type PolicyAnalysis } from '../../../src/application/policy-analysis/analyses.ts';

const analysisOf = (text: string): PolicyAnalysis => ({
  findings: [{ kind: 'dead_rule', severity: 'error', message: text }],
  verdicts: [],
  limits: [],
  combinations: 1,
  isComplete: true,
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test('analyzes each policy once, one at a time', async (t) => {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const analyses = createAnalyses({
    run: (text) => {
      begun.push(text);
      return new Promise((resolve) => ends.set(text, () => resolve(analysisOf(text))));
    },
    onFailed: () => t.fail('none fails'),
  });
  t.same(analyses.stateOf('one', 'text one'), { kind: 'running' });
  t.same(analyses.stateOf('two', 'text two'), { kind: 'running' });
  t.same(analyses.stateOf('one', 'text one'), { kind: 'running' });
  await settled();
  t.same(begun, ['text one']);
  ends.get('text one')?.();
  await settled();
  t.same(analyses.stateOf('one', 'text one'), { kind: 'done', analysis: analysisOf('text one') });
  t.same(begun, ['text one', 'text two']);
  ends.get('text two')?.();
  await settled();
  t.match(analyses.stateOf('two', 'text two'), { kind: 'done' });
  t.equal(begun.length, 2);
});

t.test('says what failed, and goes on with the next', async (t) => {
  const failures: unknown[] = [];
  const analyses = createAnalyses({
    run: async (text) => {
      if (text === 'bad') throw new Error('too long');
      return analysisOf(text);
    },
    onFailed: (error) => failures.push(error),
  });
  analyses.stateOf('one', 'bad');
  analyses.stateOf('two', 'good');
  await settled();
  t.same(analyses.stateOf('one', 'bad'), { kind: 'failed' });
  t.match(analyses.stateOf('two', 'good'), { kind: 'done' });
  t.match(failures, [{ message: 'too long' }]);
});

t.test('lets few wait', async (t) => {
  const analyses = createAnalyses({ run: () => new Promise(() => {}), onFailed: () => {} });
  for (const hash of ['one', 'two', 'three', 'four'])
    t.same(analyses.stateOf(hash, hash), { kind: 'running' });
  t.equal(analyses.stateOf('five', 'five'), null);
  t.same(analyses.stateOf('four', 'four'), { kind: 'running' });
});

t.test('forgets the oldest, which is analyzed again', async (t) => {
  let runs = 0;
  const analyses = createAnalyses({
    run: async (text) => {
      runs += 1;
      return analysisOf(text);
    },
    onFailed: () => {},
  });
  for (let place = 0; place <= 64; place += 1) {
    analyses.stateOf(`hash ${place}`, 'text');
    await settled();
  }
  t.match(analyses.stateOf('hash 64', 'text'), { kind: 'done' });
  t.match(analyses.stateOf('hash 1', 'text'), { kind: 'done' });
  t.match(analyses.stateOf('hash 0', 'text'), { kind: 'running' });
  await settled();
  t.equal(runs, 66);
});
