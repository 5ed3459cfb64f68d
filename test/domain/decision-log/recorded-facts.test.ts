import t from 'tap';
import {
  NO_RECORDED_FACTS,
  recordedFactOf,
  toRecordedFacts,
} from '../../../src/domain/decision-log/recorded-facts.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';

t.test('keeps what the policy reads, and null for the rest', async (t) => {
  const facts: SubjectFacts = {
    telemetry: 'none',
    'activity.account': { decisions_1h: 3 },
    'activity.device': 'none',
    step_up: { age_seconds: 7 },
    lists: { blocked: { device: true } },
  };
  t.equal(toRecordedFacts(['telemetry'], facts), NO_RECORDED_FACTS);
  const all = toRecordedFacts(['telemetry', 'activity.account', 'activity.device', 'step_up'], facts);
  t.strictSame(all, {
    activity: { account: { decisions_1h: 3 }, device: 'none' },
    step_up: { age_seconds: 7 },
    lists: null,
    shared: null,
    contradictions: null,
  });
  t.strictSame(
    NO_RECORDED_FACTS,
    { activity: null, step_up: null, lists: null, shared: null, contradictions: null },
    'unchanged',
  );
  for (const name of ['activity.account', 'activity.device', 'step_up'])
    t.equal(recordedFactOf(all, name), facts[name], name);
});

t.test('keeps as unknown what was not told', async (t) => {
  const recorded = toRecordedFacts(['lists', 'activity.ip'], {});
  t.strictSame(recorded, {
    activity: { ip: 'unknown' },
    step_up: null,
    lists: 'unknown',
    shared: null,
    contradictions: null,
  });
});

t.test('tells nothing of what was not recorded', async (t) => {
  const recorded = { activity: { account: {} }, step_up: null };
  for (const name of [
    'activity.device',
    'activity.toString',
    'step_up',
    'step_up.x',
    'lists',
    'telemetry',
    '',
  ])
    t.equal(recordedFactOf(recorded, name), undefined, name);
  t.equal(recordedFactOf({ activity: 'unknown' }, 'activity.device'), undefined);
});
