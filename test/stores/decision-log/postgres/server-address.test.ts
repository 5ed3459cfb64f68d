import t from 'tap';
import { parseServerUrl } from '../../../../src/stores/decision-log/postgres/server-address.ts';

const PLAIN = {
  hosts: [{ host: 'db', port: 5432 }],
  user: 'riskgate',
  password: null,
  database: 'risk',
  isTls: false,
};

t.test('reads a URL with one host', async (t) => {
  t.strictSame(parseServerUrl('postgres://riskgate@db/risk'), PLAIN);
  t.strictSame(parseServerUrl('postgresql://riskgate@db/risk'), PLAIN);
  t.strictSame(parseServerUrl('postgres://risk%40gate:p%3Aw%2Fd@db:6000/ri%20sk'), {
    ...PLAIN,
    hosts: [{ host: 'db', port: 6000 }],
    user: 'risk@gate',
    password: 'p:w/d',
    database: 'ri sk',
  });
  t.match(parseServerUrl('postgres://riskgate@[::1]:6000/risk'), { hosts: [{ host: '::1', port: 6000 }] });
});

t.test('reads several hosts, each with a port or without', async (t) => {
  t.strictSame(parseServerUrl('postgres://riskgate@one:1,[fe80::2]:2,three/risk')?.hosts, [
    { host: 'one', port: 1 },
    { host: 'fe80::2', port: 2 },
    { host: 'three', port: 5432 },
  ]);
});

t.test('takes every mode of TLS that checks something for one that checks all', async (t) => {
  for (const mode of ['require', 'verify-ca', 'verify-full'])
    t.equal(parseServerUrl(`postgres://riskgate@db/risk?sslmode=${mode}`)?.isTls, true, mode);
  t.equal(parseServerUrl('postgres://riskgate@db/risk?sslmode=disable')?.isTls, false);
  t.equal(
    parseServerUrl('postgres://riskgate@db/risk?target_session_attrs=read-write&sslmode=require')?.isTls,
    true,
  );
});

t.test('refuses what it would not do', async (t) => {
  for (const text of [
    '',
    'db',
    'mysql://riskgate@db/risk',
    'postgres://db/risk',
    'postgres://:secret@db/risk',
    'postgres://riskgate@db',
    'postgres://riskgate@db/',
    'postgres://riskgate@/risk',
    'postgres://riskgate@one,,two/risk',
    'postgres://riskgate@db:0/risk',
    'postgres://riskgate@db:65536/risk',
    'postgres://riskgate@db/risk#part',
    'postgres://riskgate@db/risk/more',
    'postgres://risk%gate@db/risk',
    'postgres://riskgate@db/risk?sslmode=prefer',
    'postgres://riskgate@db/risk?sslmode=no-verify',
    'postgres://riskgate@db/risk?target_session_attrs=standby',
    'postgres://riskgate@db/risk?options=-csearch_path%3Dx',
  ])
    t.equal(parseServerUrl(text), null, text);
});
