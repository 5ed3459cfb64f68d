import fc from 'fast-check';
import t from 'tap';
import {
  type CustodyBinding,
  type CustodyUser,
  compareUsers,
  isInDoubt,
  useBinding,
} from '../../src/domain/custody.ts';
import {
  type TelemetryCustody,
  toCustodyResult,
  toTelemetrySignals,
} from '../../src/domain/policy/telemetry-signals.ts';

const RUNS = { numRuns: 2000, seed: 20260116 };

function users(): fc.Arbitrary<CustodyUser> {
  const hash = fc.constantFrom('h1', 'h2');
  return fc.record({ account: hash, 'device:m': hash, 'device:p': hash }, { requiredKeys: [] });
}

/** The binding after these uses, and whether each was another's. */
function play(uses: readonly CustodyUser[]) {
  let binding: CustodyBinding | null = null;
  const verdicts = uses.map((user, index) => {
    const used = useBinding(binding, user, index);
    ({ binding } = used);
    return used.record.isBoundElsewhere;
  });
  return { binding: binding as CustodyBinding | null, verdicts };
}

t.test('begins with the first use', async (t) => {
  const { binding, record } = useBinding(null, { account: 'h1' }, 7);
  t.strictSame(binding, {
    firstUsedAtMs: 7,
    uses: 1,
    validUntilMs: null,
    isKept: false,
    user: { account: 'h1' },
  });
  t.strictSame(record, {
    uses: 1,
    firstUsedAtMs: 7,
    isBoundElsewhere: false,
    omitsDevice: false,
    omitsAccount: false,
    validUntilMs: null,
    isKept: false,
    loss: null,
  });
});

t.test('keeps what it knows of the expiry, and does not change what was held', async (t) => {
  const held = Object.freeze({
    firstUsedAtMs: 1,
    uses: 3,
    validUntilMs: 9,
    isKept: true,
    user: Object.freeze({}),
  });
  const { binding, record } = useBinding(held, { account: 'h1' }, 7);
  t.strictSame(binding, { ...held, uses: 4, user: { account: 'h1' } });
  t.match(record, { uses: 4, firstUsedAtMs: 1, validUntilMs: 9, isKept: true });
});

t.test('keeps a user as it is where a use adds nothing', async (t) => {
  const { binding } = useBinding(null, { account: 'h1', 'device:m': 'h1' }, 0);
  t.equal(useBinding(binding, { account: 'h1' }, 1).binding.user, binding.user);
});

t.test('never calls the one who used it first another, whatever others do', async (t) => {
  fc.assert(
    fc.property(users(), fc.array(users(), { maxLength: 6 }), (first, others) => {
      // A holder that always gives all of its fields; fields that it never gives may be taken by others.
      const { verdicts } = play([
        first,
        ...others.filter((other) => compareUsers(first, other).isBoundElsewhere),
        first,
      ]);
      return verdicts.at(0) === false && verdicts.at(-1) === false;
    }),
    RUNS,
  );
  t.pass('no holder was locked out');
});

t.test('never lets a bound field change', async (t) => {
  let thefts = 0;
  fc.assert(
    fc.property(fc.array(users(), { minLength: 2, maxLength: 6 }), (uses) => {
      const { verdicts } = play(uses);
      return uses.every((user, index) => {
        const before = play(uses.slice(0, index)).binding?.user ?? {};
        const after = play(uses.slice(0, index + 1)).binding?.user ?? {};
        const isKept = Object.entries(before).every(([field, hash]) => after[field] === hash);
        const differs = Object.entries(user).some(([field, hash]) => (before[field] ?? hash) !== hash);
        if (differs) thefts += 1;
        return isKept && (!differs || verdicts[index] === true);
      });
    }),
    RUNS,
  );
  t.ok(thefts > 500, `${thefts} uses differed`);
});

const RECORD = {
  uses: 2,
  firstUsedAtMs: 10_000,
  isBoundElsewhere: false,
  omitsDevice: false,
  omitsAccount: false,
  validUntilMs: null,
  isKept: true,
  loss: null,
};
const LOSS = { noticedAtMs: 100_000, overAtMs: 200_000 };
const NOT_SAID = { validUntilMs: null, isLost: false };

t.test('counts the age in whole seconds, and never below 0 where clocks disagree', async (t) => {
  const ageAt = (nowMs: number) => toTelemetrySignals(RECORD, NOT_SAID, nowMs).age_seconds;
  t.same([9_000, 10_000, 10_999, 11_000].map(ageAt), [0, 0, 0, 1]);
});

t.test('says that the id is expired by what its provider says now, else by what it said last', async (t) => {
  const nowMs = 50_000;
  const expired = (remembered: number | null, said: number | null, isLost: boolean) =>
    toTelemetrySignals({ ...RECORD, validUntilMs: remembered }, { validUntilMs: said, isLost }, nowMs)
      .expired;
  t.equal(expired(null, nowMs, false), true);
  t.equal(expired(null, nowMs + 1, false), false);
  t.equal(expired(nowMs, nowMs + 1, false), false, 'the latest word counts');
  t.equal(expired(nowMs, null, false), true);
  t.equal(expired(null, null, false), false, 'nobody has said so');
  t.equal(expired(nowMs, null, true), true, 'an outage does not undo what was said');
  t.equal(expired(nowMs + 1, null, true), undefined, 'it may have been shortened since');
  t.equal(expired(null, null, true), undefined);
});

t.test('doubts what may have been forgotten: ids from before the loss, and a while longer', async (t) => {
  for (const createdAtMs of [null, 0, 500_000]) t.equal(isInDoubt(RECORD, createdAtMs), false, 'no loss');
  const isDoubted = (firstUsedAtMs: number, createdAtMs: number | null) =>
    isInDoubt({ ...RECORD, firstUsedAtMs, loss: LOSS }, createdAtMs);
  t.equal(isDoubted(500_000, 0), true);
  t.equal(isDoubted(500_000, 104_999), true, 'clocks disagree');
  t.equal(isDoubted(105_000, 105_000), false);
  t.equal(isDoubted(199_999, null), true, 'nobody says how old the id is');
  t.equal(isDoubted(200_000, null), false, 'older bindings would have run out');
});

t.test('has one label for each result', async (t) => {
  const known = {
    uses: 1,
    age_seconds: 0,
    bound_elsewhere: false,
    omits_device: false,
    omits_account: false,
  };
  const results: readonly (readonly [TelemetryCustody, string])[] = [
    [known, 'first_use'],
    [{ ...known, uses: 2 }, 'repeated'],
    [{ ...known, uses: 2, bound_elsewhere: true }, 'bound_elsewhere'],
    ['unknown', 'unknown'],
    ['none', 'none'],
  ];
  for (const [custody, label] of results) t.equal(toCustodyResult(custody), label);
});
