import t from 'tap';
import { mobilerun } from '../../src/providers/mobilerun/index.ts';
import { prefactor } from '../../src/providers/prefactor/index.ts';
import { TESTED_PROVIDERS } from './samples.ts';

const DEVICE_APIS = [
  { provider: mobilerun, prefix: '/devices/', suffix: '/fingerprint' },
  { provider: prefactor, prefix: '/api/v1/device/', suffix: '' },
];

for (const { provider, prefix, suffix } of DEVICE_APIS) {
  t.test(`keeps any id inside its path segment at ${provider.id}`, async (t) => {
    const segments: Readonly<Record<string, string>> = {
      'device-1_A.b~': 'device-1_A.b~',
      '../../x': '..%2F..%2Fx',
      '%2e': '%252e',
      '%2e%2e': '%252e%252e',
      '...': '...',
      'a/b': 'a%2Fb',
      'a\\b': 'a%5Cb',
      ü: '%C3%BC',
      '😀': '%F0%9F%98%80',
      'a\r\nX: y': 'a%0D%0AX%3A%20y',
      'a?b#c;d': 'a%3Fb%23c%3Bd',
      '\u0000': '%00',
    };
    for (const [id, segment] of Object.entries(segments)) {
      const path = provider.toRequest({}, { id })?.path ?? '';
      t.equal(path, `${prefix}${segment}${suffix}`);
      t.equal(new URL(path, 'http://localhost').pathname, path, 'no parser moves it elsewhere');
    }
  });

  t.test(`refuses ids that cannot be a path segment at ${provider.id}`, async (t) => {
    for (const id of ['', '.', '..', '\ud800', 'a\udc00b']) t.equal(provider.toRequest({}, { id }), null);
  });
}

t.test('puts no line break and no id into a header', async (t) => {
  t.ok(TESTED_PROVIDERS.length > 0);
  for (const provider of TESTED_PROVIDERS) {
    const request = provider.toRequest({}, { id: 'canary\r\nx: y', accountId: 'a\r\nb', action: 'c' });
    const headers = JSON.stringify(request?.headers);
    t.notMatch(headers, /canary|\\r|\\n/);
  }
});
