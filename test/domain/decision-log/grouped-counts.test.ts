import t from 'tap';
import { GroupedCounts } from '../../../src/domain/decision-log/grouped-counts.ts';

t.test('finds counts by group, and latencies by series', async (t) => {
  const counts = new GroupedCounts();
  counts.add(
    new Map([
      ['decision:ALLOW', 2],
      ['policy:sha256:1', 1],
      ['latency:decision/10', 1],
      ['latency:a/b/20', 1],
    ]),
  );
  counts.add(new Map([['decision:ALLOW', 3]]));
  t.same([...counts.of('decision')], [['ALLOW', 5]]);
  t.same([...counts.of('policy')], [['sha256:1', 1]], 'a value may hold a colon');
  t.same([...counts.of('rule')], []);
  t.same(counts.series(), ['a/b', 'decision']);
  t.equal(counts.size, 4, 'different counts');
});

t.test('adds what another one holds, and leaves that as it is', async (t) => {
  const [one, two] = [new GroupedCounts(), new GroupedCounts()];
  one.add(new Map([['decision:ALLOW', 1]]));
  two.add(
    new Map([
      ['decision:ALLOW', 1],
      ['latency:decision/10', 4],
    ]),
  );
  one.addAll(two);
  one.addAll(two);
  t.same([...one.of('decision')], [['ALLOW', 3]]);
  t.same(one.quantilesOf('decision', [1]), two.quantilesOf('decision', [1]));
  t.same([...two.of('decision')], [['ALLOW', 1]]);
});
