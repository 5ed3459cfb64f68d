import t from 'tap';
import { toTransition } from '../../../src/domain/candidates/candidate-result.ts';
import { toSeenChanges } from '../../../src/domain/promotion/seen-changes.ts';

const [NEW, OTHER] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];

const transition = (answered: 'ALLOW' | 'BLOCK', decision: 'ALLOW' | 'CHALLENGE' | null, hash = NEW) =>
  toTransition(answered, { policy: { hash }, decision });

const COUNTS = {
  [transition('ALLOW', 'ALLOW')]: 90,
  [transition('ALLOW', 'CHALLENGE')]: 5,
  [transition('BLOCK', 'ALLOW')]: 2,
  [transition('ALLOW', null)]: 1,
  [transition('ALLOW', 'CHALLENGE', OTHER)]: 50,
};
const options = { candidate: NEW, decisions: 98, hours: 3 };

t.test('counts changes by the verdict of the new policy, of one candidate alone', async (t) => {
  t.same(toSeenChanges(COUNTS, { ...options, isNew: 'candidate' }), {
    hours: 3,
    judged: 97,
    changedTo: { ALLOW: 2, CHALLENGE: 5, BLOCK: 0 },
    notJudged: 1,
  });
});

t.test('counts them the other way round where the new policy answers', async (t) => {
  const { changedTo } = toSeenChanges(COUNTS, { ...options, isNew: 'answering' });
  t.same(changedTo, { ALLOW: 5, CHALLENGE: 0, BLOCK: 2 });
});

t.test(
  'takes decisions of which no transition tells for not judged, and never fewer than none',
  async (t) => {
    t.equal(toSeenChanges(COUNTS, { ...options, decisions: 200, isNew: 'candidate' }).notJudged, 103);
    t.equal(toSeenChanges(COUNTS, { ...options, decisions: 10, isNew: 'candidate' }).notJudged, 0);
    t.match(toSeenChanges({}, { ...options, isNew: 'candidate' }), { judged: 0, notJudged: 98 });
  },
);
