import t from 'tap';
import { holdsIdentifier } from '../../../src/domain/decision-log/note-identifiers.ts';

const nobody = () => false;

t.test('finds what looks like an identifier', async (t) => {
  for (const note of [
    'write to someone@mail.example',
    'user@host',
    'from 192.0.2.17',
    'from 2001:db8::1',
    'mac 00:1b:44:11:3a:b7',
    'mac 00-1B-44-11-3A-B7',
    'imei 490154203237518',
    '4901 5420 3237 518',
    'tel. +44 20 7946 0958',
    '(030) 901820-12',
    '01932f4e-7c1a-7d3e-9c55-0d6a3c1f2b4e',
    'token dGhpcyBpcyA5IHRva2Vu',
    'sha 9f86d081884c7d659a2feaa0',
  ])
    t.equal(holdsIdentifier(note, nobody), true, note);
});

t.test('lets people write', async (t) => {
  for (const note of [
    'chargeback 3 of 4, 120.50 EUR',
    'called back at 09:30 on 2026-01-15',
    'seen 2026-01-15T09:30:00.000Z and again 2026-02-01 10:00',
    'the account-takeover-of-last-week pattern',
    'challenge: passed; step-up by e-mail',
    'version 1.2.3',
    '',
  ])
    t.equal(holdsIdentifier(note, nobody), false, note);
});

t.test('finds the identifiers of the subject, however they are punctuated', async (t) => {
  const isOfSubject = (word: string) => ['acct_42', 'a b', 'me.', '/x/'].includes(word);
  for (const note of [
    'acct_42',
    'it was acct_42.',
    '(acct_42)',
    '"acct_42";',
    'id=acct_42',
    ' a b ',
    'me.',
    '/x/ was',
  ])
    t.equal(holdsIdentifier(note, isOfSubject), true, note);
  t.equal(holdsIdentifier('acct_421 and acct_4', isOfSubject), false);
});
