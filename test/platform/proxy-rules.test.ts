import t from 'tap';
import { createFindProxy } from '../../src/platform/proxy-rules.ts';

const PROXY = { http: 'http://plain:3128', https: 'http://secure:3128' };

function proxyOf(url: string, except: string | null = null): string | null {
  return createFindProxy({ ...PROXY, except })(new URL(url))?.hostname ?? null;
}

t.test('chooses by the scheme of what is asked', (t) => {
  t.equal(proxyOf('https://api.example'), 'secure');
  t.equal(proxyOf('http://api.example'), 'plain');
  const none = createFindProxy({ http: '', https: null, except: null });
  t.equal(none(new URL('https://api.example')), null);
  t.equal(none(new URL('http://api.example')), null);
  t.end();
});

t.test('never goes through a proxy to this machine', (t) => {
  for (const host of [
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '127.0.0.1',
    '127.9.9.9',
    '[::1]',
    '[::ffff:127.0.0.1]',
  ])
    t.equal(proxyOf(`https://${host}:8443`), null, host);
  for (const host of ['localhost.example', '128.0.0.1', '[::2]'])
    t.equal(proxyOf(`https://${host}`), 'secure', host);
  t.end();
});

const RULES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['*', ['https://a.example', 'http://10.0.0.1'], []],
  [
    'example.com',
    ['https://example.com', 'https://a.b.example.com', 'https://EXAMPLE.com.'],
    ['https://notexample.com'],
  ],
  ['.example.com', ['https://example.com', 'https://a.example.com'], ['https://example.org']],
  ['*.example.com', ['https://a.example.com'], ['https://example.com']],
  ['example.com:8443', ['https://example.com:8443'], ['https://example.com', 'http://example.com']],
  ['example.com:443', ['https://example.com'], ['http://example.com']],
  ['10.0.0.0/8', ['https://10.2.3.4'], ['https://11.2.3.4']],
  ['10.0.0.1', ['https://10.0.0.1:99'], ['https://10.0.0.2']],
  ['[fd00::1]:8443', ['https://[fd00::1]:8443'], ['https://[fd00::1]']],
  ['fd00::/16', ['https://[fd00::9]'], ['https://[fd01::9]']],
  [
    'a.example, b.example  c.example',
    ['https://a.example', 'https://b.example', 'https://c.example'],
    ['https://d.example'],
  ],
  ['10.0.0.0/99', [], ['https://10.0.0.1']],
];

for (const [except, direct, proxied] of RULES) {
  t.test(`NO_PROXY=${except}`, (t) => {
    for (const url of direct) t.equal(proxyOf(url, except), null, url);
    for (const url of proxied) t.not(proxyOf(url, except), null, url);
    t.end();
  });
}
