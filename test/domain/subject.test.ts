import t from 'tap';
import { toRequestSignals } from '../../src/domain/policy/request-signals.ts';
import {
  hasDeviceId,
  partsAskedAbout,
  questionFor,
  readAddress,
  type Subject,
  spellPart,
} from '../../src/domain/subject.ts';

const STYTCH = { id: 'stytch', subject: 'telemetry_id' } as const;
const MOBILERUN = { id: 'mobilerun', subject: 'device_id' } as const;
const PREFACTOR = { id: 'prefactor', subject: 'device_id' } as const;
const ADDRESSES = { id: 'addresses', subject: 'ip' } as const;
const ACCOUNTS = { id: 'accounts', subject: 'account_id' } as const;
const BOTH = ['mobilerun', 'prefactor'];

function subject(fields: Partial<Subject> = {}): Subject {
  return { telemetryId: 'telemetry', device: { kind: 'shared', id: 'device' }, ...fields };
}

function named(ids: Record<string, string | null>): Subject {
  return subject({ device: { kind: 'named', ids: new Map(Object.entries(ids)) } });
}

t.test('asks each provider about its part of the subject', async (t) => {
  t.same(questionFor(subject(), STYTCH, BOTH), { kind: 'ask', id: 'telemetry' });
  t.same(questionFor(subject(), MOBILERUN, BOTH), { kind: 'ask', id: 'device' });
  t.same(questionFor(subject(), PREFACTOR, BOTH), { kind: 'ask', id: 'device' });
});

t.test('takes an empty id, a null and text that cannot be sent for a missing id', async (t) => {
  for (const telemetryId of [null, '', '\ud800', 'x\udc00']) {
    t.same(
      questionFor(subject({ telemetryId }), STYTCH, BOTH),
      { kind: 'missing' },
      JSON.stringify(telemetryId),
    );
  }
  t.same(questionFor(subject({ device: { kind: 'shared', id: null } }), MOBILERUN, BOTH), {
    kind: 'missing',
  });
});

t.test('skips a device API only when another one that is enabled is named', async (t) => {
  t.same(questionFor(named({ mobilerun: 'm' }), MOBILERUN, BOTH), { kind: 'ask', id: 'm' });
  t.same(questionFor(named({ mobilerun: 'm' }), PREFACTOR, BOTH), { kind: 'skip' });
  t.same(questionFor(named({ mobilerun: null }), PREFACTOR, BOTH), { kind: 'skip' });
  t.same(questionFor(named({ mobilerun: null }), MOBILERUN, BOTH), { kind: 'missing' });
  t.same(questionFor(named({}), PREFACTOR, BOTH), { kind: 'missing' });
  t.same(
    questionFor(named({ mobilerun: 'm' }), PREFACTOR, ['prefactor']),
    { kind: 'missing' },
    'a disabled one',
  );
});

t.test('asks about an address and an account, and skips those who would be asked about none', async (t) => {
  const full = subject({ ip: '203.0.113.9', accountId: 'Account' });
  t.same(questionFor(full, ADDRESSES, BOTH), { kind: 'ask', id: '203.0.113.9' });
  t.same(questionFor(full, ACCOUNTS, BOTH), { kind: 'ask', id: 'Account' });
  for (const none of [{}, { ip: '', accountId: '' }]) {
    t.same(questionFor(subject(none), ADDRESSES, BOTH), { kind: 'skip' });
    t.same(questionFor(subject(none), ACCOUNTS, BOTH), { kind: 'skip' });
  }
});

t.test('takes no address and no account that cannot be read for an absent one', async (t) => {
  for (const unreadable of [
    { ipUnreadable: 'missing' },
    { ipUnreadable: 'repeated', ip: '203.0.113.9' },
    { ip: '010.0.0.1' },
    { ip: 'x\ud800' },
  ] as const) {
    t.same(questionFor(subject(unreadable), ADDRESSES, BOTH), { kind: 'unreadable' });
  }
  t.same(questionFor(subject({ accountId: '\ud800' }), ACCOUNTS, BOTH), { kind: 'unreadable' });
});

t.test('spells an id for whoever names it as the question spells it', async (t) => {
  t.equal(spellPart('ip', '[::FFFF:203.0.113.9]:443'), '203.0.113.9');
  t.same(questionFor(subject({ ip: '::ffff:203.0.113.9' }), ADDRESSES, BOTH), {
    kind: 'ask',
    id: '203.0.113.9',
  });
  for (const part of ['telemetry_id', 'device_id', 'account_id'] as const) {
    t.equal(spellPart(part, '[::FFFF:203.0.113.9]:443'), '[::FFFF:203.0.113.9]:443');
    t.equal(spellPart(part, '\ud800'), null);
    t.equal(spellPart(part, ''), null);
  }
  t.equal(spellPart('ip', '203.0.113'), null);
  t.equal(spellPart('ip', ''), null);
});

t.test('names the parts that providers are asked about once each, in one order', async (t) => {
  t.same(partsAskedAbout([PREFACTOR, ACCOUNTS, MOBILERUN, ADDRESSES, STYTCH]), [
    'telemetry_id',
    'device_id',
    'ip',
    'account_id',
  ]);
  t.same(partsAskedAbout([ADDRESSES]), ['ip']);
  t.same(partsAskedAbout([]), []);
});

t.test('has a device id when an enabled device API has one', async (t) => {
  t.equal(hasDeviceId(subject(), BOTH), true);
  t.equal(hasDeviceId(subject({ device: { kind: 'shared', id: '' } }), BOTH), false);
  t.equal(hasDeviceId(named({ mobilerun: 'm' }), BOTH), true);
  t.equal(hasDeviceId(named({ mobilerun: 'm' }), ['prefactor']), false);
  t.equal(hasDeviceId(named({ mobilerun: null }), BOTH), false);
});

t.test('lets a policy read what the caller gave, and nothing that was not given', async (t) => {
  t.same(toRequestSignals(subject(), BOTH), {
    telemetry_id_present: true,
    device_id_present: true,
    device_id_given: true,
  });
  const full = subject({ action: 'login', accountId: 'account', ip: '192.0.2.1', userAgent: 'agent' });
  t.same(toRequestSignals(full, BOTH), {
    telemetry_id_present: true,
    device_id_present: true,
    device_id_given: true,
    action: 'login',
    account_id: 'account',
    ip: '192.0.2.1',
    user_agent: 'agent',
  });
  t.same(toRequestSignals(subject({ telemetryId: null, accountId: '' }), BOTH), {
    telemetry_id_present: false,
    device_id_present: true,
    device_id_given: true,
  });
});

t.test('tells a device that is given from one that is asked about', async (t) => {
  const read = (device: Subject['device'], enabled: readonly string[]) => {
    const { device_id_present, device_id_given } = toRequestSignals(subject({ device }), enabled);
    return [device_id_present, device_id_given];
  };
  const named = (ids: Record<string, string | null>): Subject['device'] => ({
    kind: 'named',
    ids: new Map(Object.entries(ids)),
  });
  t.same(read(named({ mobilerun: 'm' }), ['prefactor']), [false, true]);
  t.same(read(named({ mobilerun: null, prefactor: '' }), BOTH), [false, false]);
  t.same(read({ kind: 'shared', id: 'd' }, []), [true, true]);
  t.same(read({ kind: 'shared', id: null }, []), [false, false]);
});

t.test('reads an address in its one spelling, and knows one that cannot be read', async (t) => {
  t.same(readAddress('[2001:DB8::1]:443'), { ip: '2001:db8::1' });
  t.same(readAddress('::ffff:203.0.113.9'), { ip: '203.0.113.9' });
  t.same(readAddress('nowhere'), { ipUnreadable: 'malformed' });
});
