import t from 'tap';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { baseUrlSchema, credentialSchema } from '../../src/providers/settings.ts';
import { stytch } from '../../src/providers/stytch/index.ts';

t.test('reads base URLs without their trailing slash', async (t) => {
  t.equal(baseUrlSchema.parse('https://api.example'), 'https://api.example');
  t.equal(baseUrlSchema.parse(' http://127.0.0.1:8080/ '), 'http://127.0.0.1:8080');
  t.equal(baseUrlSchema.parse('https://api.example/v1//'), 'https://api.example/v1');
});

t.test('refuses anything that is not a plain http URL', async (t) => {
  const refused = ['', 'api.example', '/v1', 'ftp://a', 'file:///a', 'https://', 'javascript:alert(1)'];
  const extras = ['https://a?b', 'https://a?', 'https://a#b', 'https://u:p@a', 'https://a/ b', 'https:\\\\a'];
  for (const raw of [...refused, ...extras]) t.notOk(baseUrlSchema.safeParse(raw).success, raw);
});

t.test('refuses credentials that do not fit a header, without repeating them', async (t) => {
  t.equal(credentialSchema.parse(' dr_sk_1 '), 'dr_sk_1');
  for (const raw of ['', '  ', 'canary secret', 'canary\nsecret', 'canarü']) {
    const result = credentialSchema.safeParse(raw);
    t.notOk(result.success);
    t.notMatch(JSON.stringify(result.error?.issues), /canar/);
  }
  t.notOk(stytch.settings['projectId']?.schema.safeParse('a:b').success);
});

t.test('refuses another lookup method than post and get', async (t) => {
  const schema = stytch.settings['lookupMethod']?.schema;
  for (const raw of ['POST', 'put', '']) t.notOk(schema?.safeParse(raw).success);
});

t.test('has defaults that its own schemas accept', async (t) => {
  const settings = PROVIDERS.flatMap((provider) => Object.values(provider.settings));
  t.ok(settings.length > 0);
  for (const { env, schema, default: raw } of settings) {
    if (raw !== undefined) t.ok(schema.safeParse(raw).success, env);
  }
});
