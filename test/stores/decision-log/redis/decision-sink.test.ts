import t from 'tap';
import { createRedisDecisionSink } from '../../../../src/stores/decision-log/redis/decision-sink.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';

/** The argument that holds the records of a batch. */
const RECORDS = 16;

type Reply = [status: string, nowMs: number] | null;

/** A sink on a connection that answers when it is told to, and the records that it was given to send. */
function openSink() {
  const sent: Buffer[] = [];
  const answers: ((reply: Reply) => void)[] = [];
  const client = {
    defineCommand: () => {},
    appendDecisions: (...words: unknown[]) => {
      sent.push(words[RECORDS] as Buffer);
      const { promise, resolve } = Promise.withResolvers<Reply>();
      answers.push(resolve);
      return promise;
    },
  };
  const keys = { decisions: () => ({}) };
  const guard = { admits: () => true, run: (command: () => unknown) => command() };
  const sink = createRedisDecisionSink({
    redis: { client, keys, guard } as never,
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    writer: 'writer',
    hourRecordsMax: 100,
    recordsKeptMs: 3_600_000,
    countsKeptMs: 3_600_000,
  });
  const append = (number: number) => sink.append({ number, records: [createDecisionRecord(number, number)] });
  const linesOf = (place: number) => sent[place]?.toString();
  return { append, sent, answers, linesOf };
}

const lineOf = (number: number) => `${JSON.stringify(createDecisionRecord(number, number))}\n`;

t.test('uses its memory again for the next batch, once the one before is answered', async (t) => {
  const { append, sent, answers, linesOf } = openSink();
  const first = append(1);
  t.equal(linesOf(0), lineOf(1));
  answers[0]?.(['kept', 0]);
  t.equal(await first, true);
  void append(2);
  t.equal(linesOf(1), lineOf(2));
  t.equal(sent[1]?.buffer, sent[0]?.buffer);
});

t.test('leaves what is not answered yet as it is', async (t) => {
  const { append, linesOf } = openSink();
  void append(1);
  void append(2);
  t.equal(linesOf(0), lineOf(1), 'the connection may still have to send it');
  t.equal(linesOf(1), lineOf(2));
});

t.test('leaves what was given up as it is: it may be sent later', async (t) => {
  const { append, sent, answers, linesOf } = openSink();
  const first = append(1);
  answers[0]?.(null);
  t.equal(await first, false);
  void append(2);
  t.equal(linesOf(0), lineOf(1));
  t.equal(linesOf(1), lineOf(2));
  t.not(sent[1]?.buffer, sent[0]?.buffer);
});

t.test('makes the words of the next hour after those of this one are answered', async (t) => {
  const { append, answers, linesOf } = openSink();
  const kept = append(1);
  answers[0]?.(['over', 3_600_000]);
  await new Promise(setImmediate);
  t.equal(linesOf(1), lineOf(1));
  answers[1]?.(['kept', 3_600_000]);
  t.equal(await kept, true);
});
