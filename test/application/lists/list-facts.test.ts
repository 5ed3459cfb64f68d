import fc from 'fast-check';
import t from 'tap';
import type { RecordHashes } from '../../../src/application/decision-log/to-decision-record.ts';
import type { Gathered } from '../../../src/application/evidence/gather-evidence.ts';
import { createListFacts } from '../../../src/application/lists/list-facts.ts';
import type { Evidence } from '../../../src/domain/evidence.ts';
import type { ListEntry } from '../../../src/domain/lists/list-entry.ts';
import { LIST_PARTS, type ListPart } from '../../../src/domain/lists/list-part.ts';
import { ListTable } from '../../../src/domain/lists/list-table.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { strictnessOf } from '../../../src/domain/verdict.ts';
import { createMemoryListStore } from '../../../src/stores/lists/memory-store.ts';
import { createListEntry, hashOf } from '../../support/list-entries.ts';
import { compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';
import { createEvidence, createSource, slotOf } from '../sources.ts';

/** A hash by part, key and the digits of an id. */
function hash(part: number, key: number, id: string): string {
  return hashOf(part * 1_000_000 + key * 10_000 + Number(id.replaceAll(/\D/g, '').slice(-4) || 0));
}

function under(keyId: string, key: number): RecordHashes {
  return {
    keyId,
    device: (id) => hash(1, key, id),
    account: (id) => hash(2, key, id),
    telemetry: (id) => hash(3, key, id),
    ip: (id) => hash(4, key, id),
    network: (id) => hash(id.includes(':') ? 5 : 4, key, id),
  };
}

const HASHES = [under('aaaa1111', 1), under('bbbb2222', 2)];
const SUBJECT: Subject = {
  telemetryId: 't1',
  device: {
    kind: 'named',
    ids: new Map([
      ['a', 'd1'],
      ['b', null],
    ]),
  },
  accountId: 'a1',
  ip: '203.0.113.7',
};
const VISITOR = hashOf(77);

function gathered(
  stytch: Partial<Evidence> = {},
  { isSuspect = false, origin = 'miss' }: { isSuspect?: boolean; origin?: Gathered['origin'] } = {},
): readonly Gathered[] {
  const signals = { found: true, visitor: VISITOR, asn: 64_500, country: 'DE' };
  const evidence = [
    createEvidence('s', { signals, ...stytch }),
    createEvidence('p', { signals: { found: true, asn: 1, country: 'FR' } }),
  ];
  return evidence.map((piece) => ({
    slot: slotOf({ ...createSource(piece.provider, 'telemetry_id'), isSuspect: () => isSuspect }),
    evidence: piece,
    origin,
    latencyMs: 1,
  }));
}

/** A policy that reads these lists and parts. */
function reading(...paths: readonly string[]): CompiledPolicy {
  return compiled(
    documentOf([rule(paths.map((path) => `lists.${path}`).join(' || '))], { lists: ['blocked', 'vip'] }),
  );
}

const ALL = reading(...LIST_PARTS.map((part) => `blocked.${part}`));

interface Known {
  readonly entries?: readonly ListEntry[];
  readonly isTrusted?: boolean;
  readonly subject?: Subject;
  readonly pieces?: readonly Gathered[];
}

async function listsOf(
  policy: CompiledPolicy,
  { entries = [], isTrusted = true, subject = SUBJECT, pieces = gathered() }: Known,
) {
  const table = new ListTable(new Set(HASHES.map(({ keyId }) => keyId)));
  for (const entry of entries) table.put(entry);
  const source = createListFacts({ store: { table, isTrusted: () => isTrusted }, hashes: HASHES });
  const conclude = await source.ask({ subject, policy, deadlineAtMs: 0 });
  return conclude({ gathered: pieces, nowMs: 2_000, facts: {} });
}

const listed = (part: ListPart, value: string, changes: Partial<ListEntry> = {}) =>
  createListEntry({ part, value, keyId: /^[0-9a-f]{32}$/.test(value) ? 'aaaa1111' : null, ...changes });

const VALUES: readonly (readonly [part: ListPart, value: string])[] = [
  ['device', hash(1, 1, 'd1')],
  ['device', hash(1, 2, 'd1')],
  ['account', hash(2, 1, 'a1')],
  ['telemetry', hash(3, 2, 't1')],
  ['ip', hash(4, 1, '203.0.113.7')],
  ['ip', '203.0.113.0/24'],
  ['visitor', VISITOR],
  ['asn', '64500'],
  ['country', 'DE'],
];
const NOTHING = Object.fromEntries(LIST_PARTS.map((part) => [part, false]));

t.test('tells for each part whether the list has it, and by which entry', async (t) => {
  for (const [part, value] of VALUES) {
    const { lists } = await listsOf(ALL, { entries: [listed(part, value)] });
    t.match(lists, { blocked: { ...NOTHING, [part]: true } }, `${part} ${value}`);
    t.match(Reflect.get(Object(lists), 'entries'), [/^blocked\//]);
  }
});

t.test('knows the /64 of an IPv6 address', async (t) => {
  const ip = '2001:db8::7';
  const { lists } = await listsOf(ALL, {
    entries: [listed('ip', hash(5, 1, ip))],
    subject: { ...SUBJECT, ip },
  });
  t.match(lists, { blocked: { ip: true } });
});

t.test(
  'takes what was not given for being on no list, and shares one value for all that are on none',
  async (t) => {
    const subject: Subject = { telemetryId: null, device: { kind: 'shared', id: null } };
    const entries = VALUES.slice(0, 6).map(([part, value]) => listed(part, value));
    const known = { entries, subject, pieces: gathered({ outcome: 'not_found', signals: { found: false } }) };
    t.strictSame(await listsOf(ALL, known), { lists: { blocked: NOTHING } });
    t.strictSame(await listsOf(ALL, {}), { lists: { blocked: NOTHING } });
    t.match(await listsOf(reading('vip.device'), { entries }), { lists: { vip: { device: false } } });
  },
);

t.test('knows a visitor that was listed under another hash key', async (t) => {
  const underOther = hashOf(78);
  const entries = [listed('visitor', underOther)];
  const pieces = gathered({ otherNames: { [VISITOR]: { bbbb2222: underOther } } });
  t.match(await listsOf(ALL, { entries, pieces }), { lists: { blocked: { visitor: true } } });
  const { visitor: _, ...rest } = NOTHING;
  t.strictSame(await listsOf(ALL, { entries }), { lists: { blocked: rest } }, 'evidence lacks that name');
});

t.test(
  'leaves unknown what evidence should have told, where the list has entries of that part',
  async (t) => {
    const pieces = gathered({ outcome: 'timeout', signals: null });
    const { lists } = await listsOf(ALL, {
      entries: [listed('asn', '9'), listed('visitor', hashOf(9))],
      pieces,
    });
    const { asn: _, visitor: _visitor, ...rest } = NOTHING;
    t.strictSame(lists, { blocked: rest });
    const found = await listsOf(ALL, {
      entries: [listed('country', 'FR')],
      pieces: gathered({ signals: { found: true } }),
    });
    t.match(found, { lists: { blocked: { country: true } } }, 'the next provider says it');
  },
);

t.test('leaves unknown what a provider would have told that finds no id any more', async (t) => {
  const entries = [listed('visitor', VISITOR)];
  const notFound = { outcome: 'not_found', signals: { found: false } } as const;
  const { visitor: _, ...rest } = NOTHING;
  const doubted = await listsOf(ALL, { entries, pieces: gathered(notFound, { isSuspect: true }) });
  t.strictSame(doubted, { lists: { blocked: rest } });
  for (const certain of [
    gathered(notFound),
    gathered(notFound, { isSuspect: true, origin: 'none' }),
    gathered({ signals: { found: true } }, { isSuspect: true }),
  ])
    t.strictSame(await listsOf(ALL, { entries, pieces: certain }), { lists: { blocked: NOTHING } });
});

t.test(
  'finds nothing by evidence that is no country and no number, or that nobody was asked for',
  async (t) => {
    const entries = [listed('asn', '9'), listed('country', 'FR'), listed('ip', '10.0.0.0/8')];
    const odd = gathered({ signals: { found: true, asn: -1, country: 'nowhere' } });
    const subject: Subject = { ...SUBJECT, ip: 'no address' };
    t.strictSame(await listsOf(ALL, { entries, pieces: odd, subject }), { lists: { blocked: NOTHING } });
    const skipped = gathered({ outcome: 'skipped', signals: null });
    t.match(await listsOf(ALL, { entries, pieces: skipped }), { lists: { blocked: { country: true } } });
  },
);

t.test('prepares a policy once', async (t) => {
  const source = createListFacts({ store: createMemoryListStore(new ListTable(new Set())), hashes: HASHES });
  const tell = async () =>
    (await source.ask({ subject: SUBJECT, policy: ALL, deadlineAtMs: 0 }))({
      gathered: [],
      nowMs: 0,
      facts: {},
    });
  t.equal(await tell(), await tell(), 'the same object for all that are on no list');
});

t.test('leaves an address that cannot be read unknown', async (t) => {
  const subject: Subject = { ...SUBJECT, ip: undefined, ipUnreadable: 'malformed' };
  const { ip: _, ...rest } = NOTHING;
  t.strictSame(await listsOf(ALL, { entries: [listed('ip', '10.0.0.0/8')], subject }), {
    lists: { blocked: rest },
  });
});

t.test('leaves unknown what an entry under a lost hash key may name', async (t) => {
  const entries = [listed('device', hashOf(5), { keyId: 'cccc3333' }), listed('account', hash(2, 1, 'a1'))];
  const { device: _, ...rest } = NOTHING;
  t.match(await listsOf(ALL, { entries }), { lists: { blocked: { ...rest, account: true } } });
  t.notOk('device' in Object((await listsOf(ALL, { entries }))['lists']).blocked);
});

t.test('keeps blocking what it knew while it cannot hear changes, and knows nothing else', async (t) => {
  const entries = [listed('account', hash(2, 1, 'a1'))];
  t.match(await listsOf(ALL, { entries, isTrusted: false }), { lists: { blocked: { account: true } } });
  t.strictSame(Object((await listsOf(ALL, { entries, isTrusted: false }))['lists']).blocked, {
    account: true,
  });
  t.strictSame(await listsOf(ALL, { isTrusted: false }), { lists: 'unknown' });
});

t.test('does not let an old entry exempt while it cannot hear changes', async (t) => {
  const entries = [listed('device', hash(1, 1, 'd1'), { list: 'vip' })];
  const lists = { lists: ['vip'] };
  const policies = {
    exempt: documentOf([rule('lists.vip.device', { verdict: 'ALLOW', exempt: true })], lists),
    negated: documentOf([rule('!lists.vip.device')], lists),
    compared: documentOf([rule('lists.vip.device == false')], lists),
    chosen: documentOf([rule('lists.vip.device ? request.telemetry_id_present : true')], lists),
    milder: documentOf([rule('lists.vip.device', { verdict: 'CHALLENGE' })], {
      ...lists,
      otherwise: 'BLOCK',
    }),
  };
  for (const [what, document] of Object.entries(policies)) {
    const policy = compiled(document);
    t.match(await listsOf(policy, { entries }), { lists: { vip: { device: true } } }, what);
    t.strictSame(await listsOf(policy, { entries, isTrusted: false }), { lists: 'unknown' }, what);
  }
  const stricter = compiled(
    documentOf([rule('request.telemetry_id_present ? lists.vip.device : false')], lists),
  );
  t.match(await listsOf(stricter, { entries, isTrusted: false }), { lists: { vip: { device: true } } });
  const observed = compiled(
    documentOf([rule('lists.vip.device', { verdict: 'ALLOW', observe: true })], lists),
  );
  t.match(await listsOf(observed, { entries, isTrusted: false }), { lists: { vip: { device: true } } });
});

const signal = fc.constantFrom(
  'lists.blocked.device',
  'lists.blocked.account',
  'lists.vip.device',
  'lists.vip.ip',
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    signal,
    fc
      .tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition'))
      .map(([left, op, right]) => `(${left} ${op} ${right})`),
    tie('condition').map((inner) => `!(${inner})`),
    fc
      .tuple(signal, tie('condition'), tie('condition'))
      .map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
  ),
}));
const policies = fc.record({
  otherwise: fc.constantFrom('ALLOW', 'CHALLENGE', 'BLOCK'),
  rules: fc.array(
    fc.record({
      when: condition,
      verdict: fc.constantFrom('ALLOW', 'CHALLENGE', 'BLOCK'),
      exempt: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});
const tables = fc.subarray([
  listed('device', hash(1, 1, 'd1')),
  listed('account', hash(2, 1, 'a1')),
  listed('device', hash(1, 2, 'd1'), { list: 'vip' }),
  listed('ip', '203.0.113.0/24', { list: 'vip' }),
]);

function compiledOf({
  otherwise,
  rules,
}: {
  otherwise: string;
  rules: readonly { when: string; verdict: string; exempt: boolean }[];
}) {
  return compiled(
    documentOf(
      rules.map(({ exempt, ...each }, place) =>
        rule(each.when, {
          id: `rule-${place}`,
          verdict: each.verdict,
          exempt: exempt && each.verdict === 'ALLOW',
        }),
      ),
      { lists: ['blocked', 'vip'], otherwise },
    ),
  );
}

const judge = (policy: CompiledPolicy, facts: SubjectFacts) =>
  evaluatePolicy(
    policy,
    [ok(), ok()],
    { telemetry_id_present: true, device_id_present: true, device_id_given: true },
    facts,
  );

t.test('never turns a stricter verdict into ALLOW by losing what is known of lists', async (t) => {
  let stricter = 0;
  await fc.assert(
    fc.asyncProperty(policies, tables, tables, fc.boolean(), async (document, before, missed, isTrusted) => {
      const policy = compiledOf(document);
      const known = judge(policy, await listsOf(policy, { entries: before }));
      // Stale: it knows another state than that which is in force. Untrusted from the start: it knows nothing.
      const entries = isTrusted ? [] : missed;
      const lost = judge(policy, await listsOf(policy, { entries, isTrusted: false }));
      if (known.verdict === 'ALLOW') return true;
      stricter += 1;
      return lost.verdict !== 'ALLOW';
    }),
    { seed: 4, numRuns: 1_500 },
  );
  t.ok(stricter > 300, `${stricter} began stricter`);
});

t.test('keeps every BLOCK of an entry that it knows, whatever it cannot hear', async (t) => {
  let blocked = 0;
  const monotone = fc.array(fc.array(signal, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(monotone, tables, async (terms, entries) => {
      const when = terms.map((all) => `(${all.join(' && ')})`).join(' || ');
      const policy = compiledOf({ otherwise: 'ALLOW', rules: [{ when, verdict: 'BLOCK', exempt: false }] });
      const known = judge(policy, await listsOf(policy, { entries }));
      const stale = judge(policy, await listsOf(policy, { entries, isTrusted: false }));
      if (known.verdict === 'BLOCK') blocked += 1;
      return strictnessOf(stale.verdict) >= strictnessOf(known.verdict);
    }),
    { seed: 5, numRuns: 500 },
  );
  t.ok(blocked > 100);
});
