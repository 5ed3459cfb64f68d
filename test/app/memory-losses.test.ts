import t from 'tap';
import { createMemoryLosses } from '../../src/app/memory-losses.ts';
import { createLogger } from '../../src/platform/logger.ts';

t.test('says each loss of a memory, and counts those of each', async (t) => {
  const lines: string[] = [];
  const { logger } = createLogger('info', { write: (line: string) => void lines.push(line) });
  const { onLost, counts } = createMemoryLosses(logger);
  t.same(counts(), [
    { memory: 'custody', count: 0 },
    { memory: 'activity', count: 0 },
  ]);
  for (const lose of [onLost.activity, onLost.custody, onLost.activity]) lose();
  t.same(counts(), [
    { memory: 'custody', count: 1 },
    { memory: 'activity', count: 2 },
  ]);
  t.match(
    lines.map((line) => JSON.parse(line)),
    ['activity', 'custody', 'activity'].map((memory) => ({ event: `${memory}.lost`, level: 'error' })),
  );
});
