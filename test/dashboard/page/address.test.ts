import t from 'tap';
import { FILTER_NAMES, formatAddress, GROUPS, parseAddress } from '../../../src/dashboard/page/address.ts';
import { GROUP_KEYS } from '../../../src/domain/decision-log/group-keys.ts';
import { decisionFilterShape } from '../../../src/http/schemas/decision-filter.ts';

const DECISION = '01a1f965-b26f-7696-8202-c426ccf51e1b';

t.test('what is shown survives its address', async (t) => {
  const address = {
    view: 'subject',
    subject: { part: 'device', hash: '6f1ed002ab5595859014ebf0951522d9' },
    window: '24h',
    filters: { decision: 'BLOCK', reason: 'TELEMETRY_NOT_FOUND', since: '2026-01-15T09:30:00.000Z' },
    compare: true,
    groups: ['country', 'decision'],
    decisionId: DECISION,
  } as const;
  t.strictSame(parseAddress(formatAddress(address)), address);
  const groups = { ...address, view: 'groups', subject: null, groups: ['asn', 'rule'] } as const;
  t.strictSame(parseAddress(formatAddress(groups)), groups);
  t.equal(formatAddress(parseAddress('')), '');
});

t.test('a subject is known by the hash of one of its parts alone', async (t) => {
  for (const subject of ['device/canary', 'device', 'email/6f1ed002ab5595859014ebf0951522d9', ''])
    t.equal(parseAddress(`?view=subject&subject=${subject}`).subject, null, subject);
  t.equal(parseAddress('?view=nonsense').view, 'decisions');
});

t.test('groups are two different ones', async (t) => {
  for (const groups of ['rule', 'rule,rule', 'rule,nonsense', ''])
    t.strictSame(parseAddress(`?view=groups&groups=${groups}`).groups, ['country', 'decision'], groups);
  t.ok(
    GROUPS.every((name) => (GROUP_KEYS as readonly string[]).includes(name)),
    'the service counts by them',
  );
});

t.test('an address that makes no sense shows the page as it opens', async (t) => {
  const address = parseAddress(`?window=2y&nonsense=1&decision=&reason=${'x'.repeat(121)}`);
  t.strictSame(address, parseAddress(''));
});

t.test('an address holds no identifier of a person', async (t) => {
  const raw = ['device_id', 'telemetry_id', 'account_id', 'device', 'ip', 'subject'];
  const search = `?${raw.map((name) => `${name}=canary`).join('&')}&decision_id=canary`;
  t.notMatch(JSON.stringify(parseAddress(search)), /canary/);
  // A telemetry id is often a UUID, though not one of version 7.
  t.equal(parseAddress('?decision_id=026ac93b-8cdf-4fcb-bfa6-36a31cfecac1').decisionId, null);
  t.strictSame(parseAddress(`?device=%23${'a'.repeat(32)}`).filters, { device: `#${'a'.repeat(32)}` });
});

t.test('every filter of the service is in the address, identifiers aside', async (t) => {
  // The page asks for a subject by its part.
  const others = Object.keys(decisionFilterShape).filter(
    (name) => !name.endsWith('_id') && name !== 'subject',
  );
  t.strictSame([...FILTER_NAMES].toSorted(), others.toSorted());
});

t.test('a window that was found is not in the address, and one that was chosen is', async (t) => {
  const found = parseAddress('', '15m');
  t.equal(found.window, '15m');
  t.equal(formatAddress(found, '15m'), '');
  t.equal(formatAddress({ ...found, window: '1h' }, '15m'), '?window=1h');
});
