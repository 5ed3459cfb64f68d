import t from 'tap';
import { CLOCK_AHEAD_MS_MAX, readClaims } from '../../../src/domain/shared-signals/read-claims.ts';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const NOW = 1_800_000_000_000;
const opaque = (id: string) => ({ format: 'opaque', id });

function read(type: string, body: object = {}, subject: unknown = opaque('u'), claims: object = {}) {
  const all = { iat: NOW / 1000 - 5, sub_id: subject, events: { [type]: body }, ...claims };
  return readClaims(all, NOW);
}

/** The signals as short texts: what begins, what ends, of which part. */
function told(...given: Parameters<typeof read>) {
  const found = read(...given);
  if (found.kind !== 'signals') return found.kind;
  return found.signals.map(({ event, isEnded, part }) => `${isEnded ? '-' : '+'}${event} ${part}`);
}

t.test('reads what each type of event begins and ends', async (t) => {
  t.same(told(`${CAEP}session-revoked`), ['+session_revoked account']);
  t.same(told(`${CAEP}credential-change`), ['+credential_change account']);
  const compliance = (current_status: string) => told(`${CAEP}device-compliance-change`, { current_status });
  t.same(compliance('not-compliant'), ['+device_compliance_change device']);
  t.same(compliance('compliant'), ['-device_compliance_change device']);
  const risk = (current_level: string, principal?: string) =>
    told(`${CAEP}risk-level-change`, { current_level, ...(principal && { principal }) });
  t.same(risk('HIGH'), ['+risk_level_change account', '+risk_level_high account']);
  t.same(risk('MEDIUM'), ['+risk_level_change account', '-risk_level_high account']);
  t.same(risk('LOW', 'DEVICE'), ['-risk_level_change device', '-risk_level_high device']);
  t.same(told(`${RISC}account-disabled`), ['+account_disabled account']);
  t.same(told(`${RISC}account-enabled`), ['-account_disabled account']);
  t.same(told(`${RISC}account-credential-change-required`), ['+account_credential_change_required account']);
});

t.test('passes over what it does not read', async (t) => {
  t.same(told('https://schemas.openid.net/secevent/ssf/event-type/verification', {}, undefined), 'nothing');
  t.same(told(`${CAEP}assurance-level-change`), 'nothing');
  t.same(told('constructor'), 'nothing');
  t.same(told(`${CAEP}session-revoked`, {}, { format: 'complex', session: opaque('s') }), 'nothing');
});

t.test('reads subjects of every format, alone and of several parts', async (t) => {
  const idsOf = (subject: object) => {
    const found = read(`${CAEP}session-revoked`, {}, subject);
    return found.kind === 'signals' ? found.signals.map(({ part, id }) => `${part} ${id}`) : found.kind;
  };
  t.same(idsOf({ format: 'iss_sub', iss: 'i', sub: 's' }), ['account s']);
  t.same(idsOf({ format: 'email', email: 'a@example.com' }), ['account a@example.com']);
  t.same(idsOf({ format: 'phone_number', phone_number: '+1' }), ['account +1']);
  t.same(idsOf({ format: 'account', uri: 'acct:a' }), ['account acct:a']);
  t.same(idsOf({ format: 'did', url: 'did:x' }), ['account did:x']);
  t.same(idsOf({ format: 'uri', uri: 'urn:x' }), ['account urn:x']);
  const both = { format: 'complex', user: opaque('u'), device: opaque('d'), tenant: opaque('t') };
  t.same(idsOf(both), ['account u', 'device d']);
  t.same(idsOf({ user: opaque('u') }), ['account u'], 'as drafts had it');
  const aliases = { format: 'aliases', identifiers: [opaque('a'), { format: 'email', email: 'b' }] };
  t.same(idsOf(aliases), ['account a', 'account b']);
  const inside = { events: { [`${CAEP}session-revoked`]: { subject: opaque('old') } }, sub_id: undefined };
  t.match(read(`${CAEP}session-revoked`, {}, null, inside), { signals: [{ id: 'old' }] });
});

t.test('refuses what is not as its standard says', async (t) => {
  const type = `${CAEP}session-revoked`;
  for (const subject of [
    null,
    'u',
    [],
    {},
    { format: 'opaque' },
    { format: 'opaque', id: '' },
    { format: 'opaque', id: 7 },
    { format: 'opaque', id: 'x'.repeat(257) },
    { format: 'constructor', id: 'x' },
    { format: 'complex', user: 'u' },
    { format: 'aliases', identifiers: [] },
    { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [opaque('a')] }] },
    { format: 'aliases', identifiers: Array(9).fill(opaque('a')) },
  ])
    t.equal(read(type, {}, subject).kind, 'wrong', JSON.stringify(subject));
  for (const events of [undefined, {}, [], { [type]: 'x' }, { [type]: {}, other: {} }])
    t.equal(read(type, {}, opaque('u'), { events }).kind, 'wrong', JSON.stringify(events));
  t.equal(told(`${CAEP}device-compliance-change`, { current_status: 'unsure' }), 'wrong');
  t.equal(told(`${CAEP}risk-level-change`, {}), 'wrong');
});

t.test(
  'takes the time of the event, else of what it happened at, else of the token, and none to come',
  async (t) => {
    const atOf = (body: object, claims: object = {}) => {
      const found = read(`${CAEP}session-revoked`, body, opaque('u'), claims);
      return found.kind === 'signals' ? found.signals[0]?.atMs : found.kind;
    };
    const seconds = NOW / 1000;
    t.equal(atOf({ event_timestamp: seconds - 60 }, { toe: seconds - 30 }), NOW - 60_000);
    t.equal(atOf({ event_timestamp: NOW - 60_000 }), NOW - 60_000, 'milliseconds, as drafts had it');
    t.equal(atOf({}, { toe: seconds - 30 }), NOW - 30_000);
    t.equal(atOf({}), NOW - 5_000);
    t.equal(atOf({ event_timestamp: seconds + 60 }), NOW, 'a clock that is a little ahead');
    t.equal(atOf({ event_timestamp: (NOW + CLOCK_AHEAD_MS_MAX + 1000) / 1000 }), 'wrong');
    for (const event_timestamp of ['1', -1, {}]) t.equal(atOf({ event_timestamp }), 'wrong');
  },
);
