import { once } from 'node:events';
import t from 'tap';
import type { LoadSample } from '../../src/platform/admission.ts';
import { startLoadSampler } from '../../src/platform/load-sampler.ts';

t.test('sees a loop whose every turn is long, and a heap', async (t) => {
  const controller = new AbortController();
  const samples: LoadSample[] = [];
  const { stop } = startLoadSampler((sample) => {
    samples.push(sample);
    if (samples.length === 3) controller.abort();
  });
  t.teardown(stop);
  const turn = () => {
    const untilMs = performance.now() + 60;
    while (performance.now() < untilMs);
    if (!controller.signal.aborted) setImmediate(turn);
  };
  turn();
  await once(controller.signal, 'abort');
  const last = samples.at(-1);
  t.ok(last !== undefined && last.delayMs > 30, `${last?.delayMs} ms`);
  t.ok(last !== undefined && last.utilization > 0.8);
  t.ok(last !== undefined && last.heapShare > 0 && last.heapShare < 1);
});
