import t from 'tap';
import { loadKeyring } from '../../../src/http/callers/api-keys.ts';
import { createPeople, type PeopleRules } from '../../../src/http/callers/people.ts';
import { createSessions } from '../../../src/http/callers/sessions.ts';
import { createMemorySessionStore } from '../../../src/stores/callers/memory-sessions.ts';
import { createManualClock } from '../../support/test-app.ts';

const RULES: PeopleRules = {
  source: 'issuer and client',
  groups: new Map([
    ['analysts', ['read', 'review']],
    ['leads', ['admin']],
  ]),
  groupsClaim: 'groups',
  nameClaim: 'name',
};
const people = createPeople(RULES);
const nameOf = (claims: object) => people.personOf({ sub: 's', groups: ['leads'], ...claims })?.name ?? '';

t.test('lets in who is in a group, however the issuer lists groups', async (t) => {
  for (const groups of [['analysts'], 'analysts', ['x', 'analysts', 'analysts', 5, {}, null]])
    t.same(people.personOf({ sub: 's', groups })?.groups, ['analysts']);
  for (const groups of [[], 'x', undefined, null, 7, {}, ['ANALYSTS'], { analysts: true }, [['analysts']]])
    t.equal(people.personOf({ sub: 's', groups }), null, JSON.stringify(groups));
  const nested = createPeople({ ...RULES, groupsClaim: 'realm_access.roles' });
  t.same(nested.personOf({ sub: 's', realm_access: { roles: ['leads'] } })?.groups, ['leads']);
  t.same(nested.personOf({ sub: 's', 'realm_access.roles': ['leads'] })?.groups, ['leads']);
  for (const odd of [{ realm_access: null }, { realm_access: 'leads' }, {}, { realm_access: { other: 1 } }])
    t.equal(nested.personOf({ sub: 's', ...odd }), null);
  const inherited = createPeople({
    ...RULES,
    groupsClaim: 'constructor.name',
    groups: new Map([['Object', ['read']]]),
  });
  t.equal(inherited.personOf({ sub: 's' }), null, 'what is inherited is no claim');
});

t.test('names people so that nobody can take another name, or a key', async (t) => {
  t.match(nameOf({ name: 'Zoë O’Neill-Łuk' }), /^Zoë O’Neill-Łuk #[0-9a-f]{8}$/);
  t.match(nameOf({ preferred_username: 'ana.example@issuer.example' }), /^ana\.example #/, 'no address');
  t.match(nameOf({ name: 'Ana (ana@issuer.example)' }), /^Ana ana #/);
  t.match(nameOf({ name: '+49 30 1234567', preferred_username: 'ana' }), /^ana #/, 'no telephone number');
  t.match(nameOf({ name: '  \n#+=@-Ana\tB\u0000\u202ec' }), /^Ana B c #[0-9a-f]{8}$/);
  t.match(nameOf({ name: '', preferred_username: 'ana.b' }), /^ana\.b #/);
  for (const name of [undefined, 5, '###', '   ', ['Ana']]) t.match(nameOf({ name }), /^somebody #/);
  t.match(nameOf({ name: '😀'.repeat(9) }), /^somebody #/);
  t.equal(nameOf({ name: 'x'.repeat(1_000_000) }).length, 48 + 10);
  const names = ['a', 'b'].map((sub) => nameOf({ sub, name: 'Ana' }));
  t.equal(new Set(names).size, 2, 'two of one name');
  t.equal(nameOf({ name: 'Ana' }), nameOf({ name: 'Ana' }), 'one person keeps the mark');
});

t.test('gives what the groups give now, and nothing to those of another issuer', async (t) => {
  const person = people.personOf({ sub: 's', name: 'Ana', groups: ['leads', 'analysts'] });
  if (person === null) throw new Error('there is a person');
  t.match(people.callerOf(person), { id: person.name, notAfterMs: null, limits: null });
  t.same([...(people.callerOf(person)?.scopes ?? [])].sort(), ['admin', 'read', 'review']);
  t.equal(createPeople({ ...RULES, source: 'another' }).callerOf(person), null);
  t.equal(createPeople({ ...RULES, groups: new Map([['x', ['read']]]) }).callerOf(person), null);
});

t.test('ends sessions of people with the rules that let them in', async (t) => {
  const loaded = loadKeyring(`keys: [{id: a, sha256: ${'ab'.repeat(32)}, scopes: [read]}]`);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const clock = createManualClock();
  const store = createMemorySessionStore({ clock });
  const common = { store, keyring: () => loaded.value, clock };
  const person = people.personOf({ sub: 's', groups: ['analysts'] });
  if (person === null) throw new Error('there is a person');
  const sessions = createSessions({ ...common, people });
  const token = (await sessions.openFor(person)) ?? '';
  const found = await sessions.find(token);
  if (typeof found === 'string') throw new Error('there is a session');
  t.equal(found.caller.id, person.name);
  t.same([sessions.isOpen(found, 'review'), sessions.isOpen(found, 'admin')], [true, false]);
  const fewer = createPeople({ ...RULES, groups: new Map([['leads', ['admin']]]) });
  for (const now of [fewer, null]) {
    const later = createSessions({ ...common, people: now });
    t.equal(await later.find(token), 'none');
    t.equal(later.isOpen(found, 'read'), false);
  }
});
