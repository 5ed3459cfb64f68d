import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readSharedSignals } from '../../src/app/shared-signals-file.ts';
import { createDirectory } from '../support/test-app.ts';

const STREAM = 'issuer: https://idp.example.com, audience: a, jwks_uri: https://idp.example.com/jwks';

function read(t: Test, text: string) {
  const directory = createDirectory(t);
  const path = join(directory, 'streams.yaml');
  writeFileSync(join(directory, 'keys.json'), '{"keys": []}');
  writeFileSync(join(directory, 'broken.json'), '[]');
  writeFileSync(join(directory, 'token'), ' a-token \n');
  writeFileSync(join(directory, 'two-words'), 'a token');
  writeFileSync(path, text.replaceAll('$DIR', directory));
  return readSharedSignals(path);
}

t.test('reads streams, their key sets and what polls present', async (t) => {
  const result = read(
    t,
    `streams:
  a: {${STREAM}, algorithms: [ES256]}
  b: {issuer: i, audience: [a, b], jwks_file: $DIR/keys.json, poll: {url: 'https://x.example/poll', token_file: $DIR/token}}
`,
  );
  t.match(result, {
    ok: true,
    value: [
      { name: 'a', algorithms: ['ES256'], localKeys: null, pollToken: null },
      { name: 'b', localKeys: '{"keys": []}', pollToken: 'a-token', poll: { interval_seconds: 10 } },
    ],
  });
});

t.test('says every mistake with its place', async (t) => {
  for (const [text, mistake] of [
    ['streams: {}', /names no stream/],
    ['streams: {a: {issuer: i, audience: a}}', /needs jwks_uri or jwks_file/],
    [`streams: {a: {${STREAM}, jwks_file: x}}`, /needs jwks_uri or jwks_file/],
    [`streams: {A: {${STREAM}}}`, /1:\d+/],
    [`streams: {a: {${STREAM}, algorithms: [HS256]}}`, /1:\d+/],
    [`streams: {a: {${STREAM}, algorithms: [none]}}`, /1:\d+/],
    [`streams: {a: {${STREAM}, nonsense: 1}}`, /nonsense/],
    ['streams: {a: {issuer: i, audience: a, jwks_uri: "http://idp.example.com/jwks"}}', /https/],
    ['streams: {a: {issuer: i, audience: a, jwks_uri: "https://u:p@idp.example.com/jwks"}}', /https/],
    [`streams: {a: {${STREAM}, poll: {url: "ftp://x"}}}`, /https/],
    ['streams: {a: {issuer: i, audience: a, jwks_file: $DIR/none.json}}', /cannot be read/],
    ['streams: {a: {issuer: i, audience: a, jwks_file: $DIR/broken.json}}', /holds no JSON Web Key Set/],
    [`streams: {a: {${STREAM}, poll: {url: "https://x.example", token_file: $DIR/two-words}}}`, /one word/],
    ['nonsense', /1:1/],
    ['streams: [', /\d:\d/],
  ] as const) {
    const result = read(t, text);
    t.equal(result.ok, false, text);
    if (!result.ok) t.match(result.mistakes.join('\n'), mistake, text);
  }
  t.equal(readSharedSignals('/nowhere/streams.yaml').ok, false);
});
