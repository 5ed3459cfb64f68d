import t from 'tap';
import { BrokenExport, readExport } from '../../../src/dashboard/page/resumed-export.ts';
import { exportDecisions } from '../../../src/http/decision-log/decision-export.ts';
import { createMemoryDecisionLog } from '../../../src/stores/decision-log/memory/decision-log.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../../support/decision-records.ts';
import { createManualClock } from '../../support/test-app.ts';

type Format = 'csv' | 'ndjson';

/** A service that breaks its answers off after so many characters each; 0 answers with an error. */
async function open(format: Format, lengths: readonly number[]) {
  const clock = createManualClock(1_700_000_000_000);
  const log = createMemoryDecisionLog({ clock, recordsMax: 1_000, countsKeptMs: 3_600_000 });
  const at = clock.nowMs();
  const records = Array.from({ length: 40 }, (_, serial) => createDecisionRecord(at, serial));
  const [gap, event] = [createGapRecord(at, 900), createEventRecord(at, 901)];
  void log.append({ number: 1, records: [...records.slice(0, 20), gap, event, ...records.slice(20)] });
  const textAfter = async (id: string | undefined) => {
    const after = id === undefined ? undefined : (await log.find(id))?.position;
    let text = '';
    for await (const page of exportDecisions(log, {}, { format, hasMark: format === 'csv', after }))
      text += page;
    return text;
  };
  const asked: (string | undefined)[] = [];
  const client = {
    open: async (_path: string, query: Readonly<Record<string, string | undefined>> = {}) => {
      const length = lengths[asked.length] ?? Number.POSITIVE_INFINITY;
      asked.push(query['after']);
      if (length === 0) throw new Error('refused');
      const bytes = new TextEncoder().encode(await textAfter(query['after']));
      let sent = 0;
      return new Response(
        new ReadableStream({
          pull: (controller) => {
            if (sent >= length) controller.error(new Error('broke off'));
            else if (sent >= bytes.length) controller.close();
            else controller.enqueue(bytes.slice(sent, Math.min(length, sent + 700)));
            sent = Math.min(length, sent + 700);
          },
        }),
      );
    },
  };
  return { client, asked, whole: await textAfter(undefined) };
}

const noWait = async () => {};

for (const format of ['csv', 'ndjson'] as const) {
  t.test(`an export of ${format} that breaks off goes on, and is the whole file`, async (t) => {
    const { whole } = await open(format, []);
    // Within a decision, within the gap and the event, before the first line is whole, and at a refusal.
    const middle = whole.indexOf(format === 'csv' ? '"gap"' : '"kind":"gap"');
    const { client, asked } = await open(format, [3, 5_000, 0, middle, 6_000]);
    let counted = 0;
    const file = await readExport(client, { format }, (count) => (counted = count), undefined, noWait);
    t.equal(Buffer.from(await file.arrayBuffer()).toString(), whole);
    t.equal(counted, 40);
    t.equal(asked[1], undefined, 'from its beginning where no decision has come');
    t.match(asked[2], /^[0-9a-f-]{36}$/);
    t.ok(asked.length > 4);
  });
}

t.test('an export that gets no further says what there is of it, and goes on from there', async (t) => {
  const { client, whole } = await open('csv', [5_000, 0, 0, 0, 0]);
  const error: unknown = await readExport(client, {}, () => {}, undefined, noWait).catch(
    (reason: unknown) => reason,
  );
  if (!(error instanceof BrokenExport)) throw new Error('it broke off');
  t.equal(error.message, 'refused');
  t.ok(error.part.decisions > 0);
  const file = await readExport(client, {}, () => {}, error.part, noWait);
  t.equal(Buffer.from(await file.arrayBuffer()).toString(), whole);
});
