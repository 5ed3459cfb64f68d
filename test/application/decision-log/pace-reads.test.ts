import t from 'tap';
import type { DecisionLogReader } from '../../../src/application/decision-log/decision-log.ts';
import { paceReads } from '../../../src/application/decision-log/pace-reads.ts';
import type { RunPiece } from '../../../src/application/decision-log/run-piece.ts';

function open() {
  const calls: string[] = [];
  let pieces = 0;
  const reader = new Proxy({} as DecisionLogReader, {
    get: (_, name) => () => {
      calls.push(String(name));
      return name === 'version' ? Promise.resolve(`v${calls.length}`) : Promise.resolve(null);
    },
  });
  const run: RunPiece = async (piece) => {
    pieces += 1;
    await Promise.resolve();
    return piece();
  };
  return { paced: paceReads(reader, run), calls, pieces: () => pieces };
}

t.test('gives every read its turn', async (t) => {
  const { paced, calls, pieces } = open();
  const span = { sinceMs: 0, untilMs: 1 };
  await paced.query({}, { before: null, limit: 1 });
  await paced.find('id');
  await paced.labelsOf([]);
  await paced.readAfter(null, 1);
  await paced.newest();
  await paced.counts({ ...span, period: 'hour' });
  await paced.countVersions(span);
  await paced.group({ filter: {}, sinceMs: 0, stepMs: 1, by: [] });
  await paced.distinct({});
  await paced.subject('account', 'hash');
  await paced.version();
  t.same(calls, [
    'query',
    'find',
    'labelsOf',
    'readAfter',
    'newest',
    'counts',
    'countVersions',
    'group',
    'distinct',
    'subject',
    'version',
  ]);
  t.equal(pieces(), 11);
});

t.test('takes labels and listeners at once', async (t) => {
  const { paced, calls, pieces } = open();
  void paced.label('id', { label: 'fraud', at: '', note: null, caller: 'c' }, true);
  paced.onChange(() => {});
  t.same(calls, ['label', 'onChange']);
  t.equal(pieces(), 0);
});

t.test('reads one version for all who ask before it is read', async (t) => {
  const { paced, calls } = open();
  const versions = await Promise.all([paced.version(), paced.version(), paced.version()]);
  t.same(versions, ['v1', 'v1', 'v1']);
  t.equal(await paced.version(), 'v2', 'and another one afterwards');
  t.equal(calls.length, 2);
});
