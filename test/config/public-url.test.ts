import t from 'tap';
import { SERVICE_SETTINGS } from '../../src/config/service-settings.ts';

const { schema } = SERVICE_SETTINGS.publicUrl;

t.test('is an https URL, without a slash at the end', async (t) => {
  t.equal(schema.parse('https://risk.example.com'), 'https://risk.example.com');
  t.equal(schema.parse('https://example.com:8443/risk//'), 'https://example.com:8443/risk');
  t.equal(schema.parse('http://127.0.0.1:8080/'), 'http://127.0.0.1:8080', 'for trying it out');
});

t.test('is refused where callers could not use it as it is', async (t) => {
  for (const text of [
    'http://risk.example.com',
    'risk.example.com',
    'ftp://risk.example.com',
    'https://user:secret@risk.example.com',
    'https://risk.example.com/?a=b',
    'https://risk.example.com/#a',
    'https://',
    '',
  ])
    t.equal(schema.safeParse(text).success, false, text);
});
