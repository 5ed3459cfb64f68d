import t from 'tap';
import { createMemoryDecisionLog } from '../../src/stores/memory/decision-log.ts';
import { createManualClock } from '../support/test-app.ts';
import { type ReaderTwin, type SinkTwin, testDecisionLogReader, testDecisionSink } from './decision-log.ts';

const KEPT_MS = 30 * 86_400_000;

const memoryReader: ReaderTwin = {
  id: 'memory',
  open: async () => {
    const clock = createManualClock();
    const log = createMemoryDecisionLog({ clock, recordsMax: 50_000, countsKeptMs: KEPT_MS });
    return { sink: log, reader: log, nowMs: clock.nowMs };
  },
};

const memorySink: SinkTwin = {
  id: 'memory',
  open: async (t) => {
    const { sink, reader } = await memoryReader.open(t);
    const held = async () => (await reader.readAfter(null, 5000)).entries.map(({ record }) => record);
    return { sink, held };
  },
};

const looped: string[] = [];
for (const twin of [memorySink]) {
  looped.push(`sink ${twin.id}`);
  t.test(`the ${twin.id} sink keeps the contract`, async (t) => testDecisionSink(t, twin));
}
for (const twin of [memoryReader]) {
  looped.push(`reader ${twin.id}`);
  t.test(`the ${twin.id} log keeps the contract of readers`, async (t) => testDecisionLogReader(t, twin));
}
t.same(looped, ['sink memory', 'reader memory'], 'the suites looped over all backends');
