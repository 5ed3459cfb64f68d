import t from 'tap';
import { createPromotions, type PromotedCandidate } from '../../../src/application/promotion/promotions.ts';
import { isPassed } from '../../../src/domain/promotion/check-promotion.ts';
import { success } from '../../../src/domain/result.ts';
import {
  createSharedStore,
  GOOD,
  LOUD,
  openPromotions,
  policyOf,
  QUIET,
  SOMEBODY,
} from './open-promotions.ts';

const LIVE = policyOf('!stytch.found');
const NEXT: PromotedCandidate = { policy: policyOf('stytch.is_vpn'), tests: null, addedAtMs: 500_000 };
const OTHER: PromotedCandidate = {
  policy: policyOf('!prefactor.found', 'other'),
  tests: null,
  addedAtMs: null,
};
const open = (store = createSharedStore()) =>
  openPromotions({ live: LIVE, candidates: [NEXT, OTHER], store });
const whole = { id: 'shop', hash: NEXT.policy.hash, share: 1 };

t.test('shows what a candidate has shown, and does nothing', async (t) => {
  const { promotions, world, inForce, events } = open();
  const view = await promotions.view({ id: 'shop', hash: null });
  t.ok(isPassed(view.checks));
  t.match(view, { candidate: { hash: NEXT.policy.hash }, inForce: { hash: LIVE.hash }, rollout: null });
  t.same(world.asked, [
    { answering: LIVE.hash, candidate: NEXT.policy.hash, isNew: 'candidate', sinceMs: 500_000 },
  ]);
  await promotions.view({ id: 'other', hash: null });
  t.match(world.asked[1], { sinceMs: 1_000_000 - 30 * 24 * 3_600_000 }, 'one of a file has no time');
  t.equal(inForce.policy(), LIVE);
  t.same(events, []);
});

t.test('looks once for all who ask for the same at a time', async (t) => {
  const { promotions, world } = open();
  const asking = { id: 'shop', hash: null };
  const views = await Promise.all([
    promotions.view(asking),
    promotions.view(asking),
    promotions.view(asking),
  ]);
  t.equal(world.asked.length, 1);
  for (const { checks } of views) t.equal(checks, views[0].checks);
  world.seen = LOUD;
  t.notOk(isPassed((await promotions.view(asking)).checks), 'and again for whoever asks later');
  t.equal(world.asked.length, 2);
});

t.test('puts a candidate in force that has shown enough, and says by what', async (t) => {
  const { promotions, inForce, events, notices, rollout } = open();
  const { checks } = await promotions.promote(whole, SOMEBODY);
  t.equal(inForce.policy().hash, NEXT.policy.hash);
  t.match(events, [
    { event: 'policy_changed', change: 'promoted', caller: 'deployer', previous: LIVE.hash },
    {
      event: 'promotion_changed',
      change: 'promoted',
      previous: LIVE.hash,
      share: 1,
      request_id: 'request-1',
    },
  ]);
  t.same(Reflect.get(events[1] ?? {}, 'checks'), checks);
  t.match(notices, [{ change: 'promoted', policy: { hash: NEXT.policy.hash } }]);
  t.match(rollout(), {
    stage: 'watch',
    hash: LIVE.hash,
    policy: { hash: LIVE.hash },
    beside: NEXT.policy.hash,
    share: 1,
    untilMs: 1_000_000 + 24 * 3_600_000,
    limits: { min_hours: 1 },
  });
});

t.test('goes to a share first, then further, and all the way', async (t) => {
  const { promotions, inForce, rollout, notices } = open();
  for (const share of [0.1, 0.5, 0.2]) {
    await promotions.promote({ ...whole, share }, SOMEBODY);
    t.match(rollout(), { stage: 'share', hash: NEXT.policy.hash, beside: LIVE.hash, share, untilMs: null });
    t.equal(inForce.policy(), LIVE);
  }
  await t.rejects(promotions.promote({ id: 'other', hash: null, share: 1 }, SOMEBODY), {
    code: 'conflict',
    publicDetail: /Another candidate answers a share/,
  });
  await promotions.promote(whole, SOMEBODY);
  t.equal(inForce.policy().hash, NEXT.policy.hash);
  t.same(
    notices.map(({ change, share }) => [change, share]),
    [
      ['share', 0.1],
      ['share', 0.5],
      ['share', 0.2],
      ['promoted', 1],
    ],
  );
});

t.test('refuses while something is not shown, or not known', async (t) => {
  const { promotions, world, inForce, events } = open();
  const failing = {
    new_blocks: { seen: LOUD },
    'decisions,hours,judged,new_blocks,new_challenges,new_allows': { seen: 'lost' as const },
    tests: { examination: { ...GOOD, cases: { kind: 'none' as const } } },
    loss: { examination: { ...GOOD, losses: { kind: 'unknown' as const, why: 'too much' } } },
  };
  for (const [names, change] of Object.entries(failing)) {
    Object.assign(world, { seen: QUIET, examination: GOOD }, change);
    const error: unknown = await promotions.promote(whole, SOMEBODY).catch((one: unknown) => one);
    t.match(error, {
      code: 'conflict',
      fields: names.split(',').map((name) => ({ pointer: `/checks/${name}` })),
    });
  }
  t.equal(inForce.policy(), LIVE);
  t.equal(events.length, 4);
  t.match(events[0], { event: 'promotion_changed', change: 'refused', share: 0, caller: 'deployer' });
});

t.test('refuses where no log can be read', async (t) => {
  const { parts } = open();
  const promotions = createPromotions({
    ...parts,
    count: null,
    candidates: () => [NEXT],
    examine: async () => GOOD,
    compile: async () => success(LIVE),
  });
  const { checks } = await promotions.view({ id: 'shop', hash: null });
  t.equal(checks.filter(({ passed }) => !passed).length, 6);
});

t.test('takes the limits of the policy in force, not of the candidate', async (t) => {
  const loose = {
    ...NEXT,
    policy: policyOf('stytch.is_vpn', 'shop', 'min_hours: 1, max_new_blocks: 100%, tests: optional'),
  };
  const { promotions, world } = openPromotions({ live: LIVE, candidates: [loose] });
  world.seen = LOUD;
  await t.rejects(promotions.promote({ id: 'shop', hash: null, share: 1 }, SOMEBODY), /not shown enough/);
});

t.test('knows no other candidate than those that there are', async (t) => {
  const { promotions } = open();
  await t.rejects(promotions.view({ id: 'nothing', hash: null }), { code: 'not_found' });
  await t.rejects(promotions.view({ id: 'shop', hash: 'sha256:0' }), {
    code: 'conflict',
    publicDetail: /replaced/,
  });
  await t.rejects(promotions.takeBack('shop', SOMEBODY), { code: 'not_found' });
});

t.test('takes a share back, and what is watched', async (t) => {
  const { promotions, inForce, notices, rollout, events } = open();
  await promotions.promote({ ...whole, share: 0.5 }, SOMEBODY);
  await t.rejects(promotions.takeBack('other', SOMEBODY), { code: 'not_found' });
  t.match(await promotions.takeBack('shop', SOMEBODY), { stage: 'share', share: 0.5 });
  t.equal(rollout(), null);
  await promotions.promote(whole, SOMEBODY);
  await t.rejects(promotions.promote({ id: 'other', hash: null, share: 1 }, SOMEBODY), {
    code: 'conflict',
    publicDetail: /still watched/,
  });
  await promotions.takeBack('shop', SOMEBODY);
  t.equal(inForce.policy().hash, LIVE.hash);
  t.equal(rollout(), null);
  t.same(
    notices.map(({ change, by }) => [change, by?.caller]),
    ['share', 'aborted', 'promoted', 'rolled_back'].map((change) => [change, 'deployer']),
  );
  t.match(
    events.filter(({ event }) => event === 'policy_changed'),
    [{ change: 'promoted' }, { change: 'rolled_back', reason: null }],
  );
});

t.test('counts nothing of before for a candidate that was in force and was taken back', async (t) => {
  const { promotions, world } = open();
  await promotions.promote(whole, SOMEBODY);
  world.nowMs += 5_000_000;
  await promotions.takeBack('shop', SOMEBODY);
  await promotions.view({ id: 'shop', hash: null });
  t.match(world.asked.at(-1), { candidate: NEXT.policy.hash, sinceMs: 7_200_000 }, 'from the next hour on');
});

t.test(
  'counts nothing of before for a candidate whose share was taken back, by itself or by hand',
  async (t) => {
    const { promotions, watch, world, store } = open();
    const sinceMs = async () => {
      await promotions.view({ id: 'shop', hash: null });
      return (world.asked.at(-1) as { sinceMs: number }).sinceMs;
    };
    await promotions.promote({ ...whole, share: 0.5 }, SOMEBODY);
    t.equal(await sinceMs(), 500_000, 'a share goes further by what it had shown');
    world.nowMs = 5_000_000;
    world.seen = LOUD;
    await watch.look();
    t.same(store.state().aborted, [{ hash: NEXT.policy.hash, atMs: 5_000_000, by: null }]);
    t.equal(await sinceMs(), 7_200_000);
    world.seen = QUIET;
    await promotions.promote({ ...whole, share: 0.5 }, SOMEBODY);
    world.nowMs = 10_800_000;
    await promotions.takeBack('shop', SOMEBODY);
    t.match(store.state().aborted, [{ by: 'deployer' }, { by: null }]);
    t.equal(await sinceMs(), 10_800_000);
  },
);

t.test('promotes nothing by a look that began before its share was taken back', async (t) => {
  const { promotions, world } = open();
  await promotions.promote({ ...whole, share: 0.5 }, SOMEBODY);
  world.nowMs = 5_000_000;
  const before = promotions.view({ id: 'shop', hash: null });
  await promotions.takeBack('shop', SOMEBODY);
  await Promise.all([before, promotions.promote(whole, SOMEBODY)]);
  t.match(world.asked.slice(-2), [{ sinceMs: 500_000 }, { sinceMs: 7_200_000 }]);
});

t.test('changes nothing that somebody else has changed meanwhile', async (t) => {
  const store = createSharedStore();
  const [one, two] = [open(store), open(store)];
  const results = await Promise.allSettled([
    one.promotions.promote(whole, SOMEBODY),
    two.promotions.promote({ ...whole, share: 0.1 }, SOMEBODY),
  ]);
  t.same(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  t.match(
    results.find(({ status }) => status === 'rejected'),
    { reason: { code: 'conflict' } },
  );
});

t.test('changes nothing where the file became another while it was looked at', async (t) => {
  const { promotions, world, store } = open();
  const promoted = promotions.promote(whole, SOMEBODY);
  setImmediate(() => {
    world.file = policyOf('stytch.is_proxy');
  });
  await t.rejects(promoted, { code: 'conflict', publicDetail: /has changed meanwhile/ });
  t.equal(store.state().inForce, null);
});

t.test('promotes nothing where it is not known what is in force', async (t) => {
  const store = createSharedStore();
  const stale = open({ ...store, knowledge: () => 'stale' });
  await t.rejects(stale.promotions.promote(whole, SOMEBODY), { code: 'store_unavailable' });
  const broken = open({ ...store, state: () => ({ ...store.state(), inForce: { ...entry, text: '' } }) });
  await t.rejects(broken.promotions.promote(whole, SOMEBODY), { code: 'conflict' }, 'it cannot be used here');
});

const entry = {
  id: 'shop',
  hash: 'sha256:1',
  sinceMs: 1,
  by: null,
  why: 'promoted' as const,
  previousHash: null,
};

t.test('promotes nothing for a process alone', async (t) => {
  const alone = open({ ...createSharedStore(), place: 'process' });
  await t.rejects(alone.promotions.promote(whole, SOMEBODY), {
    code: 'conflict',
    publicDetail: /Without Redis/,
  });
});

t.test('promotes nothing whose text could not be kept', async (t) => {
  const candidate = { ...NEXT, policy: { ...NEXT.policy, text: null } };
  const { promotions } = openPromotions({ live: LIVE, candidates: [candidate] });
  await t.rejects(promotions.promote(whole, SOMEBODY), { code: 'store_unavailable' });
});

t.test('promotes nothing where the policy in force could not come back', async (t) => {
  const failedOf = async ({ promotions }: ReturnType<typeof openPromotions>) => {
    await t.rejects(promotions.promote(whole, SOMEBODY), { code: 'conflict' });
    const { checks } = await promotions.view({ id: 'shop', hash: null });
    return checks.filter(({ passed }) => !passed).map(({ id, detail }) => `${id}: ${detail}`);
  };
  const refused = open();
  refused.world.obstacles.push('1:1: bad');
  t.same(await failedOf(refused), ['rollback: the policy in force could not come back: 1:1: bad']);
  for (const [text, why] of [
    [null, 'its text is lost'],
    [NEXT.policy.text, 'its text is another one'],
  ] as const) {
    const live = { ...LIVE, text };
    t.match(await failedOf(openPromotions({ live, candidates: [NEXT] })), [
      new RegExp(`rollback: .*: ${why}`),
    ]);
  }
});

/** A promotion that another replica began, of a policy that this one cannot use or does not judge by. */
async function beginElsewhere(
  part: object,
  { inForce = null, text = 'of a later version' }: { inForce?: typeof LIVE | null; text?: string } = {},
) {
  const store = createSharedStore();
  const put = inForce && { ...entry, id: inForce.id, hash: inForce.hash, text: inForce.text ?? '' };
  const limits = LIVE.document.promotion;
  const whole = {
    stage: 'share',
    beside: LIVE.hash,
    share: 0.1,
    limits,
    by: 'other',
    beganAtMs: 1,
    untilMs: null,
  };
  const rollout = { id: 'other', hash: `sha256:${text}`, text, part: { ...whole, ...part } };
  await store.change({ id: 'elsewhere', inForce: put, rollout, entry: put }, 0);
  return open(store);
}

t.test('lets nothing pass a promotion that it cannot use itself, and takes a share of it away', async (t) => {
  const share = await beginElsewhere({});
  await t.rejects(share.promotions.promote(whole, SOMEBODY), {
    code: 'conflict',
    publicDetail: /Another candidate/,
  });
  t.match(await share.promotions.takeBack('other', SOMEBODY), { stage: 'share', id: 'other' });
  t.equal(share.store.state().rollout, null);
  t.match(share.notices, [{ change: 'aborted', policy: { id: 'other' }, previous: LIVE.hash }]);
  t.match(await share.promotions.promote(whole, SOMEBODY), { candidate: { hash: NEXT.policy.hash } });

  const watch = await beginElsewhere({ stage: 'watch', untilMs: 5 }, { inForce: LIVE });
  await t.rejects(watch.promotions.promote(whole, SOMEBODY), {
    code: 'conflict',
    publicDetail: /still watched/,
  });
  await t.rejects(watch.promotions.takeBack('shop', SOMEBODY), {
    code: 'conflict',
    publicDetail: /cannot be used by this replica/,
  });

  const later = await beginElsewhere({ stage: 'of a later version' });
  await t.rejects(later.promotions.promote(whole, SOMEBODY), {
    code: 'conflict',
    publicDetail: /does not understand/,
  });
  await t.rejects(later.promotions.takeBack('other', SOMEBODY), { code: 'not_found' });
});

t.test('takes a share away that is beside another file than that of this process', async (t) => {
  const { promotions, store, rollout, inForce } = await beginElsewhere(
    { beside: 'sha256:another file' },
    { text: NEXT.policy.text ?? '' },
  );
  await inForce.settled();
  t.equal(rollout(), null);
  await promotions.takeBack('other', SOMEBODY);
  t.equal(store.state().rollout, null);
});
