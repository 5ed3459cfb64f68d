import t from 'tap';
import { parseJa4 } from '../../src/domain/ja4.ts';

t.test('reads the parts of a JA4 fingerprint', async (t) => {
  t.same(parseJa4('t13d1516h2_8daaf6152771_02713d6af862'), {
    transport: 'tcp',
    tlsVersion: '1.3',
    alpn: 'h2',
    ciphers: '8daaf6152771',
  });
  t.match(parseJa4('q13i0312h3_55b375c5d22e_06cda9e17597'), { transport: 'quic', alpn: 'h3' });
  t.match(parseJa4('t12d190900_d83cc789557e_7af1ed941c26'), { tlsVersion: '1.2', alpn: 'none' });
  t.match(parseJa4('t11d1209h1_55b375c5d22e_61e396c58b1f'), { tlsVersion: '1.1', alpn: 'h1' });
});

t.test('knows no TLS version where there is none', async (t) => {
  for (const start of ['dd2d1209h2', 'ts3d120900', 't00d120900'])
    t.equal(parseJa4(`${start}_55b375c5d22e_61e396c58b1f`)?.tlsVersion, undefined, start);
});

t.test('reads no other text', async (t) => {
  const others = ['', 't13d1516h2', 't13d1516h2_8daaf6152771', 'x13d1516h2_8daaf6152771_02713d6af862'];
  for (const text of [
    ...others,
    'T13d1516h2_8daaf6152771_02713d6af862',
    't13d1516h2_8daaf6152771_02713d6af862\n',
  ])
    t.equal(parseJa4(text), null, text);
});
