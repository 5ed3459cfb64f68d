import t from 'tap';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import type { RecordHashes } from '../../../src/application/decision-log/to-decision-record.ts';
import { createForgetSubject } from '../../../src/application/subject-memory/forget-subject.ts';
import type { ForgetTarget, Forgettable } from '../../../src/application/subject-memory/forgettable.ts';

const under = (keyId: string): RecordHashes => {
  const hash = (part: string) => (id: string) => `${keyId}:${part}:${id.length}`;
  return {
    keyId,
    telemetry: hash('t'),
    device: hash('d'),
    account: hash('a'),
    ip: hash('i'),
    network: hash('i'),
  };
};

function open(options: { isPurged?: boolean; memories?: Record<string, number | null> } = {}) {
  const { isPurged = true, memories = { custody: 1, activity: 4, lists: 2 } } = options;
  const asked: (readonly ForgetTarget[])[] = [];
  const recorded: RecordedEvent[] = [];
  const forget = createForgetSubject({
    purge: async () => ({ providers: ['stytch'], isComplete: isPurged }),
    memories: Object.entries(memories).map(
      ([memory, removed]): Forgettable => ({
        memory,
        forget: async (targets) => {
          asked.push(targets);
          return { removed, isComplete: removed !== null };
        },
      }),
    ),
    hashes: [under('new'), under('old')],
    record: async (event) => void recorded.push(event),
  });
  return { forget, asked, recorded };
}

const WISH = { except: ['lists'], caller: 'ops', requestId: 'r-1' };
const IDS = { telemetry_id: 'canary', device_id: '', account_id: 'canary-2' };

t.test('forgets in every memory but those that are to be left alone, and records it', async (t) => {
  const { forget, asked, recorded } = open();
  t.same(await forget({ ...WISH, ids: IDS }), { evidence: null, custody: 1, activity: 4 });
  const [targets] = asked;
  t.equal(asked.length, 2);
  t.same(targets, [
    { part: 'telemetry', id: 'canary', hashes: ['new:t:6', 'old:t:6'] },
    { part: 'account', id: 'canary-2', hashes: ['new:a:8', 'old:a:8'] },
  ]);
  t.same(recorded, [
    {
      event: 'subject_forgotten',
      caller: 'ops',
      request_id: 'r-1',
      subject: { hash_key: 'new', telemetry: 'new:t:6', device: null, account: 'new:a:8' },
      forgotten: { evidence: null, custody: 1, activity: 4 },
    },
  ]);
  t.notMatch(JSON.stringify(recorded), /canary/, 'no raw id is recorded');
});

t.test('names what may still be known, after the attempt was recorded', async (t) => {
  const { forget, recorded } = open({ isPurged: false, memories: { custody: null, activity: 0 } });
  await t.rejects(forget({ ...WISH, ids: IDS }), {
    code: 'store_unavailable',
    publicDetail: /evidence, custody may still be known/,
  });
  t.equal(recorded.length, 1);
});

t.test('works where nothing is recorded', async (t) => {
  const forget = createForgetSubject({
    purge: async () => ({ providers: [], isComplete: true }),
    memories: [],
    hashes: [under('new')],
    record: null,
  });
  t.same(await forget({ ...WISH, ids: IDS }), { evidence: null });
});
