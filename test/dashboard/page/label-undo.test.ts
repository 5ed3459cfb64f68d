import t from 'tap';
import { actNotice, undoLatest } from '../../../src/dashboard/page/act/acts.ts';
import { labelDecisions, labelOf } from '../../../src/dashboard/page/act/labels.ts';
import { ApiError } from '../../../src/dashboard/page/api-client.ts';
import { session } from '../../../src/dashboard/page/session.ts';
import { labelInForce, type OutcomeLabel, tryLabel } from '../../../src/domain/decision-log/outcome-label.ts';

const NOW = '2026-01-15T12:00:00.000Z';
const EARLIER = '2026-01-15T09:00:00.000Z';
let decisions = 0;

/** A decision with these labels, and the page of Ana. */
function open(given: readonly OutcomeLabel[]) {
  decisions += 1;
  const one = { decision_id: `decision-${decisions}`, decision: 'CHALLENGE', label: null } as const;
  let labels = given;
  const say = (label: OutcomeLabel['label'], caller: string, at?: string, seen?: number) => {
    const given = { label, at: at ?? NOW, note: null, caller };
    const { kind, ...rest } = tryLabel(labels, given, at !== undefined, seen ?? null);
    if (kind === 'changed') throw new ApiError(409, 'Somebody has labelled it since.');
    labels = 'labels' in rest ? rest.labels : labels;
  };
  type Body = {
    readonly label: OutcomeLabel['label'];
    readonly at?: string;
    readonly labels_seen?: number;
  };
  let between = (): void => {};
  const get = async (_path: string, _query: object, { body }: { readonly body?: Body } = {}) => {
    if (body !== undefined) say(body.label, 'ana', body.at, body.labels_seen);
    const answer = { label: labelInForce(labels), labels };
    between();
    return answer;
  };
  const afterNext = (run: () => void) => {
    between = () => {
      between = () => {};
      run();
    };
  };
  const client = {
    get,
    open: async (...asked: Parameters<typeof get>) => Response.json(await get(...asked)),
  };
  // What labels do not use of a session is left out.
  session.value = { client, caller: 'ana', scopes: ['review'] } as unknown as typeof session.value;
  return { one, say, afterNext, labels: () => labels };
}

const said = (label: OutcomeLabel['label'], caller: string): OutcomeLabel => ({
  label,
  at: EARLIER,
  note: null,
  caller,
});

t.test('an undo puts back what a colleague said before, which no row showed', async (t) => {
  const { one, labels } = open([said('fraud', 'ben')]);
  await labelDecisions([one], 'legit');
  t.equal(labelOf(one), 'legit');
  await undoLatest();
  t.equal(labelInForce(labels()), 'fraud');
  t.equal(labelOf(one), 'fraud');
});

t.test('an undo takes nothing back that a colleague has said since', async (t) => {
  const { one, say, labels } = open([]);
  await labelDecisions([one], 'legit');
  say('fraud', 'ben');
  await undoLatest();
  t.equal(labelInForce(labels()), 'fraud');
  t.match(actNotice.value, { isFailure: true, text: 'Not done: somebody has labelled it since' });
});

t.test('an undo does not put a label over what a colleague says meanwhile', async (t) => {
  const { one, say, afterNext, labels } = open([said('challenge_passed', 'shop')]);
  await labelDecisions([one], 'legit');
  afterNext(() => say('fraud', 'ben'));
  await undoLatest();
  t.same(
    labels().map(({ label }) => label),
    ['challenge_passed', 'legit', 'withdrawn', 'fraud'],
  );
  t.match(actNotice.value, { isFailure: true, text: 'Not done: somebody has labelled it since' });
});

t.test('an undo puts no label over what a colleague has taken back since', async (t) => {
  const { one, say, labels } = open([said('fraud', 'ben')]);
  await labelDecisions([one], 'legit');
  say('withdrawn', 'ben');
  await undoLatest();
  t.equal(labelInForce(labels()), null);
  t.equal(labelOf(one), null);
  t.match(actNotice.value, { isFailure: true, text: 'Not done: somebody has labelled it since' });
});

t.test('an undo takes nothing back that a colleague had said already', async (t) => {
  const { one, labels } = open([said('fraud', 'ben')]);
  await labelDecisions([one], 'fraud');
  await undoLatest();
  t.equal(labelInForce(labels()), 'fraud');
  t.equal(labels().length, 1);
});

t.test('a challenge that was passed is no younger after an undo, however often', async (t) => {
  const { one, labels } = open([said('challenge_passed', 'shop')]);
  for (const label of ['legit', 'fraud', null] as const) {
    await labelDecisions([one], label);
    await undoLatest();
    t.equal(labelInForce(labels()), 'challenge_passed');
    t.match(labels().at(-1)?.at, /^2026-01-15T09:00:00/);
  }
});

t.test('an undo of the first label leaves none', async (t) => {
  const { one, labels } = open([]);
  await labelDecisions([one], 'fraud');
  await undoLatest();
  t.equal(labelInForce(labels()), null);
  t.equal(labelOf(one), null);
});
