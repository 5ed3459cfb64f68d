import t from 'tap';
import type { PromotedCandidate } from '../../../src/application/promotion/promotions.ts';
import { createPromotionWatch } from '../../../src/application/promotion/watch-promotion.ts';
import { createSharedStore, LOUD, openPromotions, policyOf, QUIET, SOMEBODY } from './open-promotions.ts';

const HOUR_MS = 3_600_000;
const LIVE = policyOf('!stytch.found');
const NEXT: PromotedCandidate = { policy: policyOf('stytch.is_vpn'), tests: null, addedAtMs: 500_000 };
const open = (store = createSharedStore()) => openPromotions({ live: LIVE, candidates: [NEXT], store });
const promote = (one: ReturnType<typeof open>, share = 1) =>
  one.promotions.promote({ id: 'shop', hash: NEXT.policy.hash, share }, SOMEBODY);

t.test('looks at nothing where no promotion is under way', async (t) => {
  const { watch, world, looks } = open();
  await watch.look();
  t.same([world.asked, looks, watch.latest()], [[], [], null]);
});

t.test('asks what the former policy would have made of the decisions of the new one', async (t) => {
  const one = open();
  await promote(one, 0.5);
  await one.watch.look();
  t.match(one.world.asked[1], { answering: NEXT.policy.hash, candidate: LIVE.hash, isNew: 'answering' });
  await promote(one);
  await one.watch.look();
  t.match(one.world.asked[3], {
    answering: NEXT.policy.hash,
    candidate: LIVE.hash,
    isNew: 'answering',
    sinceMs: 1_000_000,
  });
  t.match(one.watch.latest(), { atMs: 1_000_000, notJudged: 0, checks: [{ passed: true }, {}, {}] });
});

t.test('takes a policy back that exceeds a limit, by itself, and says why', async (t) => {
  const one = open();
  await promote(one);
  one.world.seen = LOUD;
  await one.watch.look();
  t.equal(one.inForce.policy().hash, LIVE.hash);
  t.equal(one.rollout(), null);
  t.equal(one.watch.latest(), null);
  t.match(one.events.slice(2), [
    {
      event: 'policy_changed',
      change: 'rolled_back',
      caller: '',
      reason: /^new_blocks: 500 of 10000 decisions/,
    },
    {
      event: 'promotion_changed',
      change: 'rolled_back',
      caller: '',
      policy: { hash: NEXT.policy.hash },
      previous: LIVE.hash,
      share: 0,
      checks: [{ id: 'new_blocks', passed: false }, { passed: true }, { passed: true }],
    },
  ]);
  t.match(one.notices[1], { change: 'rolled_back', by: null });
});

t.test('takes a share back likewise, and leaves what is in force', async (t) => {
  const one = open();
  await promote(one, 0.5);
  one.world.seen = LOUD;
  await one.watch.look();
  t.equal(one.inForce.policy(), LIVE);
  t.equal(one.rollout(), null);
  t.match(one.notices[1], { change: 'aborted', share: 0, policy: { hash: NEXT.policy.hash } });
});

t.test('never goes further by itself', async (t) => {
  const one = open();
  await promote(one, 0.5);
  one.world.nowMs += 1000 * HOUR_MS;
  await one.watch.look();
  t.match(one.rollout(), { stage: 'share', share: 0.5 });
});

t.test('ends when it was watched long enough', async (t) => {
  const one = open();
  await promote(one);
  one.world.nowMs += 24 * HOUR_MS - 1;
  await one.watch.look();
  t.match(one.rollout(), { stage: 'watch' });
  one.world.nowMs += 1;
  await one.watch.look();
  t.equal(one.rollout(), null);
  t.equal(one.inForce.policy().hash, NEXT.policy.hash);
  t.match(one.notices[1], { change: 'watch_ended', share: 1, previous: LIVE.hash });
});

t.test('ends no watch by a clock that is wrong, and misses nothing by one', async (t) => {
  let sharedMs = 1_000_000;
  const clock = () => ({ nowMs: sharedMs, changedAtMs: 900_000 });
  const one = openPromotions({
    live: LIVE,
    candidates: [NEXT],
    store: { ...createSharedStore(), clock },
  });
  await promote(one);
  one.world.nowMs += 24 * HOUR_MS;
  sharedMs += HOUR_MS;
  await one.watch.look();
  t.match(one.rollout(), { stage: 'watch' });
  t.match(one.world.asked.at(-1), { sinceMs: 900_000, isNew: 'answering' });
  sharedMs = 900_000 + 24 * HOUR_MS;
  one.world.nowMs -= 1;
  await one.watch.look();
  t.match(one.rollout(), { stage: 'watch' }, 'both say so');
  one.world.nowMs += 1;
  await one.watch.look();
  t.equal(one.rollout(), null);
});

t.test('takes back by a text that the store has lost, and that is known here', async (t) => {
  const inner = createSharedStore();
  const textless = <Part extends object>(part: Part | null) => part && { ...part, text: null };
  const state = () => {
    const kept = inner.state();
    return { ...kept, inForce: textless(kept.inForce), rollout: textless(kept.rollout) };
  };
  for (const share of [0.5, 1]) {
    const one = openPromotions({ live: LIVE, candidates: [NEXT], store: { ...inner, state } });
    await promote(one, share);
    one.world.seen = LOUD;
    await one.watch.look();
    t.same([one.failures, one.rollout()], [[], null]);
    t.equal(one.inForce.policy().hash, LIVE.hash);
  }
  t.equal(inner.state().inForce?.text, LIVE.text);
});

t.test('ends no watch that it cannot count, or that has shown nothing', async (t) => {
  const one = open();
  await promote(one);
  one.world.nowMs += 100 * HOUR_MS;
  one.world.seen = 'lost';
  await one.watch.look();
  t.same([one.looks, one.failures], [['failed'], ['count']]);
  t.match(one.watch.latest(), { checks: null, notJudged: null });
  one.world.seen = { ...QUIET, judged: 0, notJudged: 7 };
  await one.watch.look();
  t.match(one.rollout(), { stage: 'watch' });
  one.world.seen = LOUD;
  await one.watch.look();
  t.match(one.notices[1], { change: 'rolled_back' }, 'a breach that is seen late is one');
});

t.test('ends a watch in which nobody asked', async (t) => {
  const one = open();
  await promote(one);
  one.world.nowMs += 24 * HOUR_MS;
  one.world.seen = { ...QUIET, judged: 0 };
  await one.watch.look();
  t.equal(one.rollout(), null);
});

t.test('counts nothing without a log', async (t) => {
  const one = open();
  await promote(one);
  const looks: string[] = [];
  const watch = createPromotionWatch({
    ...one.parts,
    count: null,
    onLook: (result) => looks.push(result),
    onFailed: () => {},
  });
  await watch.look();
  t.same(looks, ['failed']);
});

t.test('is done by one replica of several', async (t) => {
  const store = createSharedStore();
  const all = [open(store), open(store), open(store)] as const;
  await promote(all[0]);
  for (const one of all) {
    await one.inForce.settled();
    one.world.seen = LOUD;
  }
  await Promise.all(all.map(({ watch }) => watch.look()));
  t.equal(all.flatMap(({ notices }) => notices).filter(({ change }) => change === 'rolled_back').length, 1);
  t.same(
    all.flatMap(({ failures }) => failures),
    [],
  );
  for (const { inForce } of all) {
    await inForce.settled();
    t.equal(inForce.policy().hash, LIVE.hash);
  }
});

t.test('says what it could not change, and tries again', async (t) => {
  const shared = createSharedStore();
  let isBroken = false;
  const store = {
    ...shared,
    change: async (...given: Parameters<typeof shared.change>) =>
      isBroken ? ('unknown' as const) : shared.change(...given),
  };
  const one = open(store);
  await promote(one);
  [one.world.seen, isBroken] = [LOUD, true];
  await one.watch.look();
  t.same(one.failures, ['change']);
  t.equal(one.inForce.policy().hash, NEXT.policy.hash);
  isBroken = false;
  await one.watch.look();
  t.equal(one.inForce.policy().hash, LIVE.hash);
});

t.test('tells what was done where the log takes no record of it', async (t) => {
  const one = open();
  await promote(one);
  Object.assign(one.world, { seen: LOUD, isLogLost: true });
  await one.watch.look();
  t.equal(one.inForce.policy().hash, LIVE.hash);
  t.match(one.notices[1], { change: 'rolled_back', by: null });
  t.same(one.failures, [], 'nothing is left to be tried again');
  one.world.seen = QUIET;
  await t.rejects(promote(one), { code: 'decision_log_unavailable' });
  t.equal(one.inForce.policy().hash, NEXT.policy.hash);
  t.match(one.notices[2], { change: 'promoted', by: SOMEBODY });
});

t.test('is of no effect beside another policy, or where it cannot be read', async (t) => {
  const one = open();
  await promote(one, 0.5);
  t.match(one.rollout(), { stage: 'share' });
  one.world.file = policyOf('stytch.is_proxy');
  t.equal(one.rollout(), null);
  one.world.file = LIVE;
  const { id, hash, text } = NEXT.policy;
  await one.change.putRollout({
    rollout: { id, hash, text: text ?? '', part: { stage: 'later' } },
    expectedRevision: one.store.state().revision,
  });
  t.equal(one.rollout(), null);
});
