import t from 'tap';
import { toUserAgentNames } from '../../src/providers/prefactor/user-agent.ts';

t.test('names browsers and systems it knows', async (t) => {
  const samples: Readonly<Record<string, object>> = {
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0': {
      family: 'Firefox',
      os: 'Windows',
      major: 140,
    },
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1':
      { family: 'Safari', os: 'iOS', major: 18 },
  };
  for (const [userAgent, names] of Object.entries(samples)) t.same(toUserAgentNames(userAgent), names);
});

t.test('never repeats a piece of the text', async (t) => {
  for (const userAgent of [
    'canary/1.0 x',
    'canary user foo/1 bar',
    'constructor/1 x',
    '__proto__/1 x',
    '/',
    '😀',
  ]) {
    t.same(toUserAgentNames(userAgent), { family: 'Other', os: 'Other' }, userAgent);
  }
});

t.test('says nothing about an empty text', async (t) => {
  for (const userAgent of ['', '  ', null, undefined]) t.equal(toUserAgentNames(userAgent), undefined);
});
