import t from 'tap';
import type { DecisionBody } from '../support/answer.ts';
import { createTestApp, until } from '../support/test-app.ts';
import { fencesOf, readText, sectionOf } from './markdown.ts';

const section = sectionOf(readText('docs/api.md'), '## After a challenge');

t.test('a challenge is answered, told and satisfied as the manual shows', async (t) => {
  const [challenged, satisfied] = fencesOf(section, 'json').map(
    ({ text }) => JSON.parse(text) as DecisionBody,
  );
  const question: unknown = JSON.parse(/For `(\{.+?\})` by the default policy/.exec(section)?.[1] ?? '');
  const [told] = fencesOf(section, 'sh').map(({ text }) => /-d '(.+)'/.exec(text)?.[1] ?? '');
  const app = await createTestApp(t);
  const first = (await app.decide(question)).json;
  const reportTo = `/v1/decisions/${first.decision_id}/outcome`;
  const shown = { ...challenged, challenge: { ...challenged?.challenge, report_to: reportTo } };
  t.match(first, shown);
  t.same([first.reasons, first.challenge], [shown.reasons, shown.challenge]);
  await until(
    'the decision is in the log',
    async () => (await app.decide(told, { url: reportTo })).status === 200,
  );
  const second = (await app.decide(question)).json;
  const [reason] = second.reasons;
  // Seconds may have passed.
  const age = reason?.step_up?.age_seconds ?? -1;
  t.ok(age >= 0 && age < 1800);
  t.equal(second.decision, satisfied?.decision);
  t.match(reason, {
    ...satisfied?.reasons[0],
    step_up: { ...satisfied?.reasons[0]?.step_up, age_seconds: age },
  });
  t.notOk('challenge' in second);
});
