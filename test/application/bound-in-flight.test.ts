import t from 'tap';
import { boundInFlight } from '../../src/application/bound-in-flight.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Subject } from '../../src/domain/subject.ts';

const SUBJECT: Subject = { telemetryId: 'telemetry', device: { kind: 'shared', id: 'device' } };
const ASK = { maxAgeMs: null, deadlineMs: null };
const DECISION = { id: 'decision-1' } as Decision;

t.test('refuses while as many wait as may, and not for what is at hand', async (t) => {
  const waiting: PromiseWithResolvers<Decision>[] = [];
  const { decide, isFull } = boundInFlight(() => {
    const call = Promise.withResolvers<Decision>();
    waiting.push(call);
    return call.promise;
  }, 2);
  const first = decide(SUBJECT, ASK);
  t.equal(isFull(), false);
  const second = decide(SUBJECT, ASK);
  t.equal(isFull(), true);
  t.throws(() => decide(SUBJECT, ASK), { code: 'overloaded' });
  t.equal(waiting.length, 2, 'nobody was asked');
  waiting[0]?.resolve(DECISION);
  t.equal(await first, DECISION);
  t.equal(isFull(), false);
  waiting[1]?.reject(new Error('a defect'));
  await t.rejects(Promise.resolve(second));
  decide(SUBJECT, ASK);
  t.equal(isFull(), false, 'a rejection frees its place too');
});

t.test('does not count a decision whose evidence is at hand', async (t) => {
  const { decide, isFull } = boundInFlight(() => DECISION, 1);
  for (let count = 0; count < 3; count += 1) t.equal(decide(SUBJECT, ASK), DECISION);
  t.equal(isFull(), false);
});
