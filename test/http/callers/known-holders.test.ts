import { hash } from 'node:crypto';
import t from 'tap';
import { createKeyring, findHolder, type Keyring } from '../../../src/http/callers/api-keys.ts';
import { rememberHolders } from '../../../src/http/callers/known-holders.ts';

const keyringOf = (ids: Readonly<Record<string, string>>, notAfter?: string): Keyring =>
  createKeyring(
    Object.entries(ids).map(([token, id]) => ({
      id,
      sha256: hash('sha256', token),
      scopes: ['decide'],
      not_after: notAfter,
    })),
  );

/** The keyring, and every token that it is asked about. */
const listenTo = (keyring: Keyring, asked: string[]): Keyring => ({
  ...keyring,
  find: (token) => {
    asked.push(token);
    return keyring.find(token);
  },
});

t.test('finds whom the keyring finds, and asks it once about a right key', async (t) => {
  const asked: string[] = [];
  const keyring = listenTo(keyringOf({ one: 'a', two: 'b' }), asked);
  const holders = rememberHolders(() => keyring);
  for (const _ of [1, 2, 3]) {
    t.equal(holders.find('one')?.id, 'a');
    t.equal(holders.find('two')?.id, 'b');
  }
  t.same(asked, ['one', 'two']);
});

t.test('asks it about a wrong key each time', async (t) => {
  const asked: string[] = [];
  const keyring = listenTo(keyringOf({ one: 'a' }), asked);
  const holders = rememberHolders(() => keyring);
  const wrong = ['', 'on', 'onee', 'ONE', '__proto__', hash('sha256', 'one')];
  for (const token of [...wrong, ...wrong]) t.equal(holders.find(token), null, token);
  t.same(asked, [...wrong, ...wrong]);
});

t.test('forgets every key when another keyring is in force', async (t) => {
  let keyring = keyringOf({ one: 'a', two: 'b' });
  const holders = rememberHolders(() => keyring);
  t.equal(holders.find('one')?.id, 'a');
  t.equal(holders.find('two')?.id, 'b');
  keyring = keyringOf({ two: 'c', three: 'd' });
  t.equal(holders.find('one'), null, 'a withdrawn key');
  t.equal(holders.find('two')?.id, 'c', 'a key of another caller');
  t.equal(holders.find('three')?.id, 'd', 'a new key');
});

t.test('leaves it to who asks whether a key has expired', async (t) => {
  const end = '2027-01-31T00:00:00Z';
  const keyring = keyringOf({ one: 'a' }, end);
  const holders = rememberHolders(() => keyring);
  const endMs = Date.parse(end);
  t.equal(findHolder(holders, 'one', 'decide', endMs - 1)?.id, 'a');
  t.equal(findHolder(holders, 'one', 'decide', endMs), null);
  t.equal(findHolder(holders, 'one', 'decide', endMs - 1)?.id, 'a', 'when the clock is set back');
});
