import t from 'tap';
import { boundInFlight } from '../../src/application/bound-in-flight.ts';
import type { SettledDecision } from '../../src/application/settle-decision.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Subject } from '../../src/domain/subject.ts';

const SUBJECT: Subject = { telemetryId: 'telemetry', device: { kind: 'shared', id: 'device' } };
const ASK = { maxAgeMs: null, deadlineMs: null };
const ASKING = { caller: 'shop', entryPoint: 'decide', requestId: 'request-1' };
const DECISION: SettledDecision = { id: 'decision-1', decision: { id: 'decision-1' } as Decision };

t.test('refuses while as many wait as may, and not for what is at hand', async (t) => {
  const waiting: PromiseWithResolvers<SettledDecision>[] = [];
  const { decide, isFull } = boundInFlight(() => {
    const call = Promise.withResolvers<SettledDecision>();
    waiting.push(call);
    return call.promise;
  }, 2);
  const first = decide(SUBJECT, ASK, ASKING);
  t.equal(isFull(), false);
  const second = decide(SUBJECT, ASK, ASKING);
  t.equal(isFull(), true);
  t.throws(() => decide(SUBJECT, ASK, ASKING), { code: 'overloaded' });
  t.equal(waiting.length, 2, 'nobody was asked');
  waiting[0]?.resolve(DECISION);
  t.equal(await first, DECISION);
  t.equal(isFull(), false);
  waiting[1]?.reject(new Error('a defect'));
  await t.rejects(Promise.resolve(second));
  decide(SUBJECT, ASK, ASKING);
  t.equal(isFull(), false, 'a rejection frees its place too');
});

t.test('does not count a decision whose evidence is at hand', async (t) => {
  const { decide, isFull } = boundInFlight(() => DECISION, 1);
  for (let count = 0; count < 3; count += 1) t.equal(decide(SUBJECT, ASK, ASKING), DECISION);
  t.equal(isFull(), false);
});
